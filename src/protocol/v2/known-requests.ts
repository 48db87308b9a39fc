import type { Tensor } from '../tensors/tensor.ts';
import type { BodyPieces } from './body-pieces.ts';
import type { InferRequest, RequestSchema } from './infer-request.ts';

/** A longer JSON part is read each time. */
const mostHeadBytes = 1024;

/** Of each model: clients of some kinds ask for it in turn. */
const mostHeads = 4;

interface KnownHead {
  readonly bytes: Buffer;
  /** Of all inputs together. */
  readonly binaryBytes: number;
  /** With the inputs of whoever asked so first, whose values are not kept. */
  readonly request: InferRequest;
}

const known = new WeakMap<RequestSchema, KnownHead[]>();

/**
 * The request whose JSON part is the same, byte for byte, as that of an earlier one that was found right, and whose tensors
 * all follow in binary: as many bytes make it right as well. Undefined where there was none, with nothing taken.
 */
export function recallRequest(head: Buffer, rest: BodyPieces, schema: RequestSchema): InferRequest | undefined {
  const found = known.get(schema)?.find(({ bytes }) => bytes.equals(head));
  if (found === undefined || found.binaryBytes !== rest.left) return undefined;
  const { request } = found;
  return { ...request, inputs: request.inputs.map((input) => filled(input, rest)) };
}

/** `inputs` of the request are in the order of the JSON, all of them binary. */
export function rememberRequest(head: Buffer, request: InferRequest, schema: RequestSchema): void {
  if (head.length > mostHeadBytes || request.id !== undefined) return;
  // Whether strings are whole is said by their bytes.
  if (request.inputs.some(({ datatype }) => datatype === 'BYTES')) return;
  const heads = known.get(schema) ?? [];
  if (heads.length === mostHeads) heads.shift();
  const inputs = request.inputs.map((input) => ({ ...input, parts: [] }));
  const binaryBytes = inputs.reduce((sum, { byteLength }) => sum + byteLength, 0);
  heads.push({ bytes: Buffer.from(head), binaryBytes, request: { ...request, inputs } });
  known.set(schema, heads);
}

function filled({ name, datatype, shape, byteLength }: Tensor, rest: BodyPieces): Tensor {
  return { name, datatype, shape, parts: byteLength === 0 ? [] : rest.take(byteLength), byteLength };
}
