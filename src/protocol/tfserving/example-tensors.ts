import { SkeinError } from '../errors.ts';
import { type Datatype, elementBytes } from '../tensors/datatype.ts';
import { elementCount, type Tensor, type TensorSpec } from '../tensors/tensor.ts';
import { dataTypeOf } from './data-type.ts';
import type { Example, Feature } from './example.ts';

/** The examples as they were serialised, for a model that parses them itself: one string for each. */
export function serialisedExamples(name: string, examples: readonly Uint8Array[]): Tensor {
  const parts: Uint8Array[] = [];
  let byteLength = 0;
  for (const example of examples) {
    const prefix = Buffer.allocUnsafe(4);
    prefix.writeUInt32LE(example.byteLength);
    parts.push(prefix, example);
    byteLength += 4 + example.byteLength;
  }
  return { name, datatype: 'BYTES', shape: [examples.length], parts, byteLength };
}

/**
 * Features as the inputs of a model that takes tensors: each input is the feature of its name, one row for each example.
 * The texts are those of TensorFlow's ParseExample, which such a model would have had inside.
 */
export function exampleTensors(examples: readonly Example[], specs: readonly TensorSpec[]): Tensor[] {
  const known = specs.filter((spec) => spec.optional !== true || examples.some((example) => example.has(spec.name)));
  return known.map((spec) => featureTensor(examples, spec));
}

function featureTensor(examples: readonly Example[], spec: TensorSpec): Tensor {
  const { name, datatype } = spec;
  const dtype = dataTypeOf(datatype).name;
  const rows = examples.map((example) => {
    const feature = example.get(name);
    if (feature === undefined || feature.values.length === 0)
      throw new SkeinError('feature_missing', { feature: name, dtype });
    return feature;
  });
  const rowShape = shapeOfRow(spec, rows[0]!.values.length);
  const perRow = elementCount(rowShape);
  const parts = rows.map((feature, index) => {
    if (!takes(datatype, feature)) throw new SkeinError('feature_type', { feature: name, index, dtype });
    const got = feature.values.length;
    if (got !== perRow) {
      throw new SkeinError('feature_size', { feature: name, index, dtype, got, shape: `[${rowShape.join(',')}]` });
    }
    return bytesOf(feature, datatype);
  });
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0);
  return { name, datatype, shape: [examples.length, ...rowShape], parts, byteLength };
}

/** One free dimension takes what the others leave; what cannot be is left for the check of sizes. */
function shapeOfRow({ shape, anyRank }: TensorSpec, values: number): readonly number[] {
  if (anyRank === true) return values === 1 ? [] : [values];
  const row = shape.slice(1);
  const fixed = row.reduce((product, size) => (size === -1 ? product : product * size), 1);
  let left = fixed > 0 && values % fixed === 0 ? values / fixed : 1;
  return row.map((size) => {
    if (size !== -1) return size;
    const taken = left;
    left = 1;
    return taken;
  });
}

function takes(datatype: Datatype, { kind }: Feature): boolean {
  if (datatype === 'BYTES') return kind === 'bytes';
  if (datatype === 'FP32' || datatype === 'FP64') return kind === 'float';
  return kind === 'int64' && datatype !== 'FP16' && datatype !== 'BF16';
}

function bytesOf(feature: Feature, datatype: Datatype): Uint8Array {
  if (feature.kind === 'bytes') {
    return Buffer.concat(
      feature.values.flatMap((value) => {
        const prefix = Buffer.allocUnsafe(4);
        prefix.writeUInt32LE(value.byteLength);
        return [prefix, value];
      }),
    );
  }
  if (datatype === 'FP32') return new Uint8Array(Float32Array.from(feature.values as readonly number[]).buffer);
  if (datatype === 'FP64') return new Uint8Array(Float64Array.from(feature.values as readonly number[]).buffer);
  const size = elementBytes[datatype];
  const view = new DataView(new ArrayBuffer(feature.values.length * size));
  (feature.values as readonly bigint[]).forEach((value, i) => {
    if (size === 8) view.setBigInt64(8 * i, value, true);
    else if (size === 4) view.setInt32(4 * i, Number(BigInt.asIntN(32, value)), true);
    else if (size === 2) view.setInt16(2 * i, Number(BigInt.asIntN(16, value)), true);
    else view.setInt8(i, datatype === 'BOOL' ? Number(value !== 0n) : Number(BigInt.asIntN(8, value)));
  });
  return new Uint8Array(view.buffer);
}
