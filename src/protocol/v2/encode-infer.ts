import type { Tensor } from '../tensors/tensor.ts';
import { classify } from './classification.ts';
import { encodeData } from './encode-data.ts';
import type { EncodedBody, InferReply, ReplyOutput } from './infer-reply.ts';
import { TextParts } from './text-parts.ts';

/** The body of the answer to an infer request, byte for byte as Triton lays it out. */
export function encodeInferResponse(reply: InferReply): EncodedBody {
  const sent = reply.outputs.map((output) => tensorToSend(output, reply.batched === true));
  const isBinary = reply.outputs.length > 0 && reply.outputs.every(({ binary }) => binary);
  if (isBinary && reply.id === undefined) return encodeBinary(reply, sent);
  const text = new TextParts();
  writeText(reply, sent, text);
  return bodyOf(reply, sent, text);
}

/** The JSON of an answer whose values all follow in binary. */
interface BinaryHead {
  readonly model: string;
  readonly version: string;
  readonly sent: readonly Pick<Tensor, 'name' | 'datatype' | 'shape' | 'byteLength'>[];
  readonly text: TextParts;
}

/** Of the last one: those of a batch have the same, but for rows and ids. */
let last: BinaryHead | undefined;

function encodeBinary(reply: InferReply, sent: readonly Tensor[]): EncodedBody {
  const { model, version } = reply;
  if (last === undefined || !isSameHead(last, reply, sent)) {
    const text = new TextParts();
    writeText(reply, sent, text);
    const heads = sent.map(({ name, datatype, shape, byteLength }) => ({ name, datatype, shape, byteLength }));
    last = { model, version, sent: heads, text };
  }
  return bodyOf(reply, sent, last.text);
}

function isSameHead(head: BinaryHead, { model, version }: InferReply, sent: readonly Tensor[]): boolean {
  if (head.model !== model || head.version !== version || head.sent.length !== sent.length) return false;
  return sent.every(({ name, datatype, shape, byteLength }, i) => {
    const other = head.sent[i]!;
    const isSame = other.name === name && other.datatype === datatype && other.byteLength === byteLength;
    return isSame && other.shape.length === shape.length && shape.every((size, at) => size === other.shape[at]);
  });
}

function writeText(reply: InferReply, sent: readonly Tensor[], text: TextParts): void {
  const id = reply.id === undefined || reply.id === '' ? '' : `"id":${JSON.stringify(reply.id)},`;
  text.add(
    `{${id}"model_name":${JSON.stringify(reply.model)},"model_version":${JSON.stringify(reply.version)},"outputs":[`,
  );
  let separator = '';
  for (const [i, { binary }] of reply.outputs.entries()) {
    const tensor = sent[i]!;
    const { name, datatype, shape, byteLength } = tensor;
    text.add(`${separator}{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}],`);
    if (binary) text.add(`"parameters":{"binary_data_size":${byteLength}}}`);
    else {
      text.add('"data":[');
      encodeData(tensor, text);
      text.add(']}');
    }
    separator = ',';
  }
  text.add(']}');
  text.flush();
}

function bodyOf({ outputs }: InferReply, sent: readonly Tensor[], text: TextParts): EncodedBody {
  const parts = [...text.parts];
  let binaryBytes = 0;
  for (const [i, { binary }] of outputs.entries()) {
    if (!binary) continue;
    for (const part of sent[i]!.parts) if (part.byteLength > 0) parts.push(part);
    binaryBytes += sent[i]!.byteLength;
  }
  return {
    headerLength: binaryBytes > 0 ? text.byteLength : undefined,
    parts,
    byteLength: text.byteLength + binaryBytes,
  };
}

function tensorToSend({ tensor, classCount, labels }: ReplyOutput, batched: boolean): Tensor {
  return classCount > 0 ? classify(tensor, classCount, labels ?? [], batched) : tensor;
}
