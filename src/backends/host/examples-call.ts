import { SkeinError } from '../../protocol/errors.ts';
import type { Signature, Tensor, TensorSpec } from '../../protocol/tensors/tensor.ts';
import { classificationsOf, classOutputs } from '../../protocol/tfserving/classify.ts';
import { decodeExample, type Example, encodeExample } from '../../protocol/tfserving/example.ts';
import { exampleTensors, serialisedExamples } from '../../protocol/tfserving/example-tensors.ts';
import type { InferenceResult } from '../../protocol/tfserving/inference.ts';
import { regressionsOf, regressOutput } from '../../protocol/tfserving/regress.ts';
import type { CodecModel, DecodedRequest } from './body-codec.ts';
import { modelCall } from './model-call.ts';
import type { ServedSignature } from './served-signature.ts';

export type ExamplesMethod = InferenceResult['kind'];

/** A call with examples for inputs. */
export interface ExamplesCall extends DecodedRequest {
  readonly method: ExamplesMethod;
  readonly examples: number;
}

/** Examples as a client sent them: read, or as they were serialised. */
type GivenExamples =
  | { readonly kind: 'read'; readonly examples: readonly Example[] }
  | { readonly kind: 'serialised'; readonly examples: readonly Uint8Array[] };

/**
 * A model with one input of strings parses the examples itself, as those exported for TensorFlow Serving do; for any other
 * its inputs are the features of the same names.
 */
export function examplesCall(
  given: GivenExamples,
  method: ExamplesMethod,
  signature: ServedSignature,
  model: CodecModel,
): ExamplesCall {
  const { own } = signature;
  const outputs = method === 'classify' ? classSpecs(own) : [regressOutput(own)];
  const call = modelCall(tensorsOf(given, own), outputs, signature, model);
  return { ...call, method, examples: given.examples.length };
}

function classSpecs(signature: Signature): TensorSpec[] {
  const { classes, scores } = classOutputs(signature);
  return [classes, scores].filter((spec) => spec !== undefined);
}

function tensorsOf(given: GivenExamples, { inputs }: Signature): Tensor[] {
  const required = inputs.filter(({ optional }) => optional !== true);
  const only = required.length === 1 ? required[0] : undefined;
  const parsesItself = only?.datatype === 'BYTES' && (only.anyRank === true || only.shape.length === 1);
  if (only !== undefined && parsesItself) return [serialisedExamples(only.name, serialised(given))];
  const examples = given.kind === 'read' ? given.examples : given.examples.map((one) => decodeExample([one]));
  if (inputs.length === 0) throw new SkeinError('signature_unfit', { reason: 'Expected one input Tensor.' });
  return exampleTensors(examples, inputs);
}

function serialised(given: GivenExamples): readonly Uint8Array[] {
  return given.kind === 'serialised' ? given.examples : given.examples.map(encodeExample);
}

/** What the outputs of such a call say. */
export function examplesResult(
  { method, examples, request }: ExamplesCall,
  tensors: readonly Tensor[],
  { labels }: CodecModel,
): InferenceResult {
  if (method === 'regress') return { kind: 'regress', regressions: regressionsOf(tensors[0]!, examples) };
  const classes = tensors.find(({ datatype }, i) => datatype === 'BYTES' && request.outputs[i]!.name !== 'scores');
  const scores = tensors.find((tensor) => tensor !== classes);
  const named = scores === undefined ? undefined : labels.get(scores.name);
  return { kind: 'classify', classifications: classificationsOf(classes, scores, examples, named) };
}
