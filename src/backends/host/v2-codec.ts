import { decodeInferRequest } from '../../protocol/v2/decode-infer.ts';
import { encodeInferResponse } from '../../protocol/v2/encode-infer.ts';
import type { BodyCodec } from './body-codec.ts';

/** Bodies of the Open Inference Protocol V2 over HTTP. */
export const v2Codec: BodyCodec = {
  decode(body, { headerLength, ahead }, { requestSchema, signature: usual, signatures }) {
    const request = decodeInferRequest(body, headerLength, requestSchema, ahead);
    const signature = request.signatureName === undefined ? usual : signatures.get(request.signatureName)!;
    const { reshape, schema } = signature;
    return {
      request: reshape === undefined ? request : { ...request, inputs: reshape.toEngine(request.inputs) },
      signature,
      batched: schema.maxBatchSize > 0,
    };
  },

  encode({ request: { id, outputs }, signature: { reshape }, batched }, tensors, { model, version, labels }) {
    return encodeInferResponse({
      model,
      version: String(version),
      ...(id === undefined ? {} : { id }),
      batched,
      outputs: outputs.map(({ name, binary, classCount }, i) => {
        const named = labels.get(name);
        const tensor = reshape === undefined ? tensors[i]! : reshape.toClient(tensors[i]!);
        return { tensor, binary, classCount, ...(named === undefined ? {} : { labels: named }) };
      }),
    });
  },
};
