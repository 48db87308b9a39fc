import { SkeinError } from '../../protocol/errors.ts';
import type { Tensor, TensorSpec } from '../../protocol/tensors/tensor.ts';
import { checkInputs } from '../../protocol/v2/check-inputs.ts';
import type { RequestParameters } from '../../protocol/v2/infer-request.ts';
import type { CodecModel, DecodedRequest } from './body-codec.ts';
import type { ServedSignature } from './served-signature.ts';

/** The signature of a request in one of TensorFlow Serving's dialects; '' is the default one. */
export function signatureNamed(name: string, { model, signature, signatures }: CodecModel): ServedSignature {
  const found = name === '' ? signature : signatures.get(name);
  if (found !== undefined) return found;
  const known = [...signatures.keys()].map((one) => `'${one}'`).join(', ');
  throw new SkeinError('signature_unknown', { model, signature: name.slice(0, 256), known });
}

const noParameters: RequestParameters = {
  priority: 0,
  timeoutUs: 0,
  sequenceStart: false,
  sequenceEnd: false,
  other: new Map(),
};

/**
 * A call of the model by its own shapes, as TensorFlow Serving's dialects make it. max_batch_size bounds what is joined
 * and not what one request may bring: one of more rows runs by itself.
 */
export function modelCall(
  tensors: readonly Tensor[],
  outputs: readonly TensorSpec[],
  signature: ServedSignature,
  { model }: CodecModel,
): DecodedRequest {
  const { own, called, schema: view } = signature;
  // What has no rows to tell apart runs by itself: whether the model takes it, the runtime says.
  const batched = view.maxBatchSize > 0 && (own.shapesAreHints !== true || haveSameRows(tensors));
  const schema = { model, maxBatchSize: batched ? Infinity : 0, signature: called };
  const { inputs, batchSize } = checkInputs(tensors, schema);
  const wanted = outputs.map(({ name }) => ({ name, binary: false, classCount: 0 }));
  return { request: { inputs, outputs: wanted, batchSize, parameters: noParameters }, signature, batched };
}

function haveSameRows(tensors: readonly Tensor[]): boolean {
  const rows = tensors[0]?.shape[0] ?? 0;
  return rows > 0 && tensors.every(({ shape }) => shape[0] === rows);
}
