import { SkeinError } from '../../protocol/errors.ts';
import type { NamedSignature } from '../../protocol/tensors/named-signature.ts';
import type { Tensor, TensorSpec } from '../../protocol/tensors/tensor.ts';
import { decodePredictRequest, encodePredictResponse } from '../../protocol/tfserving/predict.ts';
import type { BodyCodec } from './body-codec.ts';
import { modelCall, signatureNamed } from './model-call.ts';

/** Bodies of TensorFlow Serving's gRPC API, `Predict`. */
export const tfPredictCodec: BodyCodec = {
  decode(body, _facts, model) {
    const { signatureName, tensors, outputFilter } = decodePredictRequest(body);
    const signature = signatureNamed(signatureName, model);
    checkNames(tensors, signature.own);
    return modelCall(tensors, wantedOutputs(outputFilter, signature.own), signature, model);
  },

  encode({ signature }, tensors, { model, version }) {
    return encodePredictResponse(tensors, { name: model, version, signatureName: signature.own.name });
  },
};

function checkNames(tensors: readonly Tensor[], { inputs }: NamedSignature): void {
  const names = tensors.map(({ name }) => name).sort();
  const declared = inputs.map(({ name }) => name).sort();
  const missing = inputs.filter(({ name, optional }) => optional !== true && !names.includes(name));
  if (missing.length === 0 && names.every((name) => declared.includes(name))) return;
  if (names.length === declared.length && missing.length > 0) {
    throw new SkeinError('predict_input_missing', { input: missing[0]!.name, names: listed(names) });
  }
  throw new SkeinError('predict_input_count', {
    ...{ got: names.length, expected: declared.length, names: listed(names), declared: listed(declared) },
    extra: listed(names.filter((name) => !declared.includes(name))),
    missing: listed(missing.map(({ name }) => name)),
  });
}

const longestList = 1_000;

function listed(names: readonly string[]): string {
  return names.join(',').slice(0, longestList);
}

function wantedOutputs(filter: readonly string[], { outputs }: NamedSignature): readonly TensorSpec[] {
  if (filter.length === 0) return outputs;
  return filter.map((name, i) => {
    const output = outputs.find((one) => one.name === name);
    if (output === undefined) {
      const declared = outputs.map((one) => one.name).sort();
      throw new SkeinError('predict_output_unknown', { output: name.slice(0, 256), declared: listed(declared) });
    }
    if (filter.indexOf(name) < i) throw new SkeinError('predict_output_twice', { output: name });
    return output;
  });
}
