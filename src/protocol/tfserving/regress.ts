import { SkeinError } from '../errors.ts';
import type { Signature, Tensor, TensorSpec } from '../tensors/tensor.ts';
import { typedElements } from '../v2/typed-elements.ts';
import { dataTypeOf } from './data-type.ts';
import type { Regressions } from './results.ts';

/** The only output of a signature that regresses, whatever it is called. */
export function regressOutput({ outputs }: Signature): TensorSpec {
  if (outputs.length !== 1) throw unfit('Expected one output Tensor.');
  return outputs[0]!;
}

/** One value of each example. */
export function regressionsOf(output: Tensor, examples: number): Regressions {
  const { shape, datatype } = output;
  const isColumn = shape.length === 1 || (shape.length === 2 && shape[1] === 1);
  if (!isColumn) {
    const got = `[${shape.join(',')}]`;
    throw unfit(`Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got ${got}`);
  }
  if (shape[0] !== examples) {
    throw unfit(`Input batch size did not match output batch size: ${examples} vs. ${shape[0]}`);
  }
  if (datatype !== 'FP32') throw unfit(`Expected output Tensor of DT_FLOAT.  Got: ${dataTypeOf(datatype).enumName}`);
  return Array.from(typedElements(output, 'FP32') as Float32Array);
}

function unfit(reason: string): SkeinError {
  return new SkeinError('signature_unfit', { reason });
}
