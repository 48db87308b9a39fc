import { SkeinError } from '../../protocol/errors.ts';
import {
  decodeExamplesRequest,
  decodeMultiInferenceRequest,
  encodeMultiInferenceResponse,
  encodeResultResponse,
  type InferenceTask,
} from '../../protocol/tfserving/inference.ts';
import type { BodyCodec, CodecModel } from './body-codec.ts';
import { type ExamplesCall, type ExamplesMethod, examplesCall, examplesResult } from './examples-call.ts';
import { signatureNamed } from './model-call.ts';

/** Bodies of TensorFlow Serving's gRPC API, `Classify` and `Regress`. */
function tfExamplesCodec(method: ExamplesMethod): BodyCodec<ExamplesCall> {
  return {
    decode(body, _facts, model) {
      const { signatureName, examples } = decodeExamplesRequest(body);
      return examplesCall({ kind: 'serialised', examples }, method, signatureNamed(signatureName, model), model);
    },

    encode(call, tensors, model) {
      return encodeResultResponse(examplesResult(call, tensors, model), answeredBy(call, model));
    },
  };
}

export const tfClassifyCodec = tfExamplesCodec('classify');
export const tfRegressCodec = tfExamplesCodec('regress');

/** `MultiInference`: a call for each task. The answer to each is a message with one result; joined they are the whole. */
export const tfMultiInferenceCodec: BodyCodec<ExamplesCall> = {
  decode(body, _facts, model) {
    const { tasks, examples } = decodeMultiInferenceRequest(body);
    const seen = new Set<string>();
    return tasks.map((task) => {
      const method = methodOf(task);
      const signature = signatureNamed(task.spec.signatureName, model);
      if (task.spec.name === '') throw new SkeinError('task_unnamed');
      if (task.spec.name !== tasks[0]!.spec.name) throw new SkeinError('task_model');
      const { name } = signature.own;
      if (seen.has(name)) throw new SkeinError('task_duplicate', { signature: name });
      seen.add(name);
      return examplesCall({ kind: 'serialised', examples }, method, signature, model);
    });
  },

  encode(call, tensors, model) {
    return encodeMultiInferenceResponse([
      { result: examplesResult(call, tensors, model), by: answeredBy(call, model) },
    ]);
  },
};

function methodOf({ methodName }: InferenceTask): ExamplesMethod {
  if (methodName === 'tensorflow/serving/classify') return 'classify';
  if (methodName === 'tensorflow/serving/regress') return 'regress';
  throw new SkeinError('task_method', { method: methodName.slice(0, 256) });
}

function answeredBy({ signature }: ExamplesCall, { model, version }: CodecModel) {
  return { name: model, version, signatureName: signature.own.name };
}
