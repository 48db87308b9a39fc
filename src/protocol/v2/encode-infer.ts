import type { Tensor } from '../tensors/tensor.ts';
import { classify } from './classification.ts';
import { encodeData } from './encode-data.ts';
import type { EncodedBody, InferReply, ReplyOutput } from './infer-reply.ts';
import { TextParts } from './text-parts.ts';

/** The body of the answer to an infer request, byte for byte as Triton lays it out. */
export function encodeInferResponse(reply: InferReply): EncodedBody {
  const text = new TextParts();
  const binaryParts: Uint8Array[] = [];
  let binaryBytes = 0;
  const id = reply.id === undefined || reply.id === '' ? '' : `"id":${JSON.stringify(reply.id)},`;
  text.add(
    `{${id}"model_name":${JSON.stringify(reply.model)},"model_version":${JSON.stringify(reply.version)},"outputs":[`,
  );
  let separator = '';
  for (const output of reply.outputs) {
    const tensor = tensorToSend(output, reply.batched === true);
    const { name, datatype, shape, byteLength } = tensor;
    text.add(`${separator}{"name":${JSON.stringify(name)},"datatype":"${datatype}","shape":[${shape.join(',')}],`);
    if (output.binary) {
      text.add(`"parameters":{"binary_data_size":${byteLength}}}`);
      for (const part of tensor.parts) if (part.byteLength > 0) binaryParts.push(part);
      binaryBytes += byteLength;
    } else {
      text.add('"data":[');
      encodeData(tensor, text);
      text.add(']}');
    }
    separator = ',';
  }
  text.add(']}');
  text.flush();
  return {
    headerLength: binaryBytes > 0 ? text.byteLength : undefined,
    parts: [...text.parts, ...binaryParts],
    byteLength: text.byteLength + binaryBytes,
  };
}

function tensorToSend({ tensor, classCount, labels }: ReplyOutput, batched: boolean): Tensor {
  return classCount > 0 ? classify(tensor, classCount, labels ?? [], batched) : tensor;
}
