import { SkeinError } from '../errors.ts';
import type { Tensor, TensorSpec } from '../tensors/tensor.ts';
import { readColumnInputs } from './column-inputs.ts';
import { readRequestDocument } from './request-document.ts';
import { readRowInputs } from './row-inputs.ts';

/** In which of its two forms a predict request came: its answer is in the same. */
export type PredictForm = 'row' | 'column';

interface PredictDocument {
  readonly form: PredictForm;
  readonly tensors: readonly Tensor[];
}

/**
 * The body of POST /v1/models/{model}:predict as tensors. `inputsOf` answers what the named signature takes, '' for the
 * default one, and throws where there is none.
 */
export function decodePredict(body: Buffer, inputsOf: (signature: string) => readonly TensorSpec[]): PredictDocument {
  const document = readRequestDocument(body);
  const specs = inputsOf(document.signatureName);
  const [isRow, isColumn] = [document.has('instances'), document.has('inputs')];
  if (isRow && isColumn) {
    throw document.fault("Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist ");
  }
  if (!isRow && !isColumn) throw new SkeinError('v1_inputs_missing');
  if (specs.length === 0) throw new SkeinError('v1_no_input_map', { signature: document.signatureName || 'DEFAULT' });
  return isRow
    ? { form: 'row', tensors: readRowInputs(document, specs) }
    : { form: 'column', tensors: readColumnInputs(document, specs) };
}
