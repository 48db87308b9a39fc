import type { BatchingOptions } from '../batching/batching-options.ts';
import type { DecodedRequest } from './body-codec.ts';

/**
 * What must agree for two requests to share a run: the signature, the inputs given, their types and all dimensions but
 * that of the batch where they have one, the outputs wanted and their order. Of inputs that are padded to the longest the
 * rank is enough, where there is something to pad with.
 */
export function batchKey(
  { request, batched, signature: { own } }: DecodedRequest,
  { padsLengths, maxBatchRows }: Pick<BatchingOptions, 'padsLengths' | 'maxBatchRows'>,
): string {
  const { inputs, outputs, batchSize } = request;
  let key = delimited(own.name);
  for (const { name, datatype, shape } of inputs) {
    key += delimited(name) + datatype;
    if (padsLengths === true && !shape.includes(0)) key += `^${shape.length}`;
    else for (let i = batched ? 1 : 0; i < shape.length; i++) key += `,${shape[i]}`;
    key += ';';
  }
  // What is learned of a batch by its rows would not hold for one that has more than the queue counts.
  if (batchSize > maxBatchRows) key += `${batchSize};`;
  const areAll = outputs.length === own.outputs.length && outputs.every(({ name }, i) => name === own.outputs[i]!.name);
  if (!areAll) for (const { name } of outputs) key += delimited(name);
  return key;
}

/** Names hold any characters: their length says where they end. */
function delimited(name: string): string {
  return `${name.length}:${name}`;
}
