import { decodeExamples } from '../../protocol/v1/decode-examples.ts';
import { encodeClassifications, encodeRegressions } from '../../protocol/v1/encode-results.ts';
import type { BodyCodec } from './body-codec.ts';
import { type ExamplesCall, type ExamplesMethod, examplesCall, examplesResult } from './examples-call.ts';
import { signatureNamed } from './model-call.ts';

/** Bodies of TensorFlow Serving's REST API, `:classify` and `:regress`. */
function v1ExamplesCodec(method: ExamplesMethod): BodyCodec<ExamplesCall> {
  return {
    decode(body, _facts, model) {
      const { signatureName, examples, context } = decodeExamples(Buffer.concat(body));
      const whole = context === undefined ? examples : examples.map((one) => new Map([...context, ...one]));
      const signature = signatureNamed(signatureName, model);
      return examplesCall({ kind: 'read', examples: whole }, method, signature, model);
    },

    encode(call, tensors, model) {
      const result = examplesResult(call, tensors, model);
      return result.kind === 'classify'
        ? encodeClassifications(result.classifications)
        : encodeRegressions(result.regressions);
    },
  };
}

export const v1ClassifyCodec = v1ExamplesCodec('classify');
export const v1RegressCodec = v1ExamplesCodec('regress');
