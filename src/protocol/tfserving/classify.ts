import { SkeinError } from '../errors.ts';
import type { Signature, Tensor, TensorSpec } from '../tensors/tensor.ts';
import { stringElements, typedElements } from '../v2/typed-elements.ts';
import { dataTypeOf } from './data-type.ts';
import type { Classifications } from './results.ts';

/** Which outputs of a signature answer a classification: at least one of the two. */
interface ClassOutputs {
  readonly classes: TensorSpec | undefined;
  readonly scores: TensorSpec | undefined;
}

/**
 * The outputs called `classes` and `scores`, as TensorFlow Serving wants them; in a model that has neither name, its only
 * outputs of strings and of floats.
 */
export function classOutputs({ outputs }: Signature): ClassOutputs {
  if (outputs.length !== 1 && outputs.length !== 2) {
    throw unfit(`Expected one or two output Tensors, found ${outputs.length}`);
  }
  const named = (name: string) => outputs.find((output) => output.name === name);
  const ofType = (datatype: string) => outputs.find((output) => output.datatype === datatype);
  const [classes, scores] = [named('classes'), named('scores')];
  if (classes !== undefined || scores !== undefined) return { classes, scores };
  const found = { classes: ofType('BYTES'), scores: ofType('FP32') };
  if (found.classes !== undefined || found.scores !== undefined) return found;
  throw unfit('Expected classification signature outputs to contain at least one of "classes" or "scores".');
}

/**
 * Labels and scores of each example. `labels` names the classes of a model that has no output for that.
 */
export function classificationsOf(
  classes: Tensor | undefined,
  scores: Tensor | undefined,
  examples: number,
  labels: readonly string[] = [],
): Classifications {
  if (classes !== undefined) checkMatrix(classes, 'classes', 'BYTES', examples);
  if (scores !== undefined) checkMatrix(scores, 'scores', 'FP32', examples);
  const [count = 0, other] = [classes, scores].flatMap((tensor) => tensor?.shape[1] ?? []);
  if (other !== undefined && other !== count) {
    throw unfit(`Tensors class and score should match in dim_size(1). Got ${count} vs. ${other}`);
  }
  const names = classes === undefined ? undefined : stringElements(classes);
  const values = scores === undefined ? undefined : typedElements(scores, 'FP32');
  return Array.from({ length: examples }, (_, row) =>
    Array.from({ length: count }, (_, column) => {
      const at = row * count + column;
      const label = names === undefined ? (labels[column] ?? '') : names[at]!.toString('utf8');
      return { label, score: values === undefined ? 0 : (values[at] as number) };
    }),
  );
}

function checkMatrix({ shape, datatype }: Tensor, what: 'classes' | 'scores', wanted: 'BYTES' | 'FP32', rows: number) {
  const { enumName } = dataTypeOf(datatype);
  if (shape.length !== 2) {
    throw unfit(`Expected Tensor shape: [batch_size num_classes] but got [${shape.join(',')}]`);
  }
  if (datatype !== wanted) throw unfit(`Expected ${what} Tensor of ${dataTypeOf(wanted).enumName}. Got: ${enumName}`);
  if (shape[0] !== rows) throw unfit(`Expected ${what} output batch size of ${rows}. Got: ${shape[0]}`);
}

function unfit(reason: string): SkeinError {
  return new SkeinError('signature_unfit', { reason });
}
