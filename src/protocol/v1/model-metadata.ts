import type { NamedSignature } from '../tensors/named-signature.ts';
import type { TensorSpec } from '../tensors/tensor.ts';
import { dataTypeOf } from '../tfserving/data-type.ts';

/** What a model is called and how it is called. */
export interface DescribedModel {
  readonly name: string;
  readonly version: number;
  readonly signatures: readonly NamedSignature[];
}

/** Body of GET /v1/models/{model}/metadata, with the line breaks of TensorFlow Serving, which joins two documents. */
export function modelMetadataBody({ name, version, signatures }: DescribedModel): string {
  const spec = { name, signature_name: '', version: String(version) };
  const definitions = { signature_def: Object.fromEntries(signatures.map((one) => [one.name, definitionOf(one)])) };
  return `{\n"model_spec":${pretty(spec)},\n"metadata": {"signature_def": ${pretty(definitions)}}\n}\n`;
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}

function definitionOf({ inputs, outputs, method }: NamedSignature): unknown {
  return {
    inputs: Object.fromEntries(inputs.map((spec) => [spec.name, tensorInfo(spec)])),
    outputs: Object.fromEntries(outputs.map((spec) => [spec.name, tensorInfo(spec)])),
    method_name: `tensorflow/serving/${method}`,
    defaults: {},
  };
}

function tensorInfo({ name, datatype, shape, anyRank, graphName = name }: TensorSpec): unknown {
  const isUnknown = anyRank === true;
  return {
    dtype: dataTypeOf(datatype).enumName,
    tensor_shape: {
      dim: isUnknown ? [] : shape.map((size) => ({ size: String(size), name: '' })),
      unknown_rank: isUnknown,
    },
    name: graphName,
  };
}
