import { decodePredict, type PredictForm } from '../../protocol/v1/decode-predict.ts';
import { encodePredict } from '../../protocol/v1/encode-predict.ts';
import type { BodyCodec, DecodedRequest } from './body-codec.ts';
import { modelCall, signatureNamed } from './model-call.ts';

interface PredictCall extends DecodedRequest {
  /** The answer is in the form of the request. */
  readonly form: PredictForm;
}

/** Bodies of TensorFlow Serving's REST API, `:predict`. */
export const v1PredictCodec: BodyCodec<PredictCall> = {
  decode(body, _facts, model) {
    let signature = model.signature;
    const text = body.length === 1 ? Buffer.from(body[0]!.buffer, body[0]!.byteOffset, body[0]!.byteLength) : undefined;
    const { form, tensors } = decodePredict(text ?? Buffer.concat(body), (name) => {
      signature = signatureNamed(name, model);
      return signature.own.inputs;
    });
    return { ...modelCall(tensors, signature.own.outputs, signature, model), form };
  },

  encode({ form }, tensors) {
    return encodePredict(tensors, form);
  },
};
