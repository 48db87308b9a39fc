import type { Datatype } from '../../protocol/tensors/datatype.ts';
import type { Random } from './random.ts';

export const dataKinds = ['random', 'zero'] as const;
export type DataKind = (typeof dataKinds)[number];

const text = Buffer.from('skein');

/**
 * Elements of a tensor, as JSON writes them. Random floats lie in [0, 1) and have five digits, as measured things have;
 * random integers are 0 or 1, which are legal as classes, indices, masks and token ids alike.
 */
export function inputValues(datatype: Datatype, count: number, kind: DataKind, random: Random): (number | string)[] {
  if (datatype === 'BYTES') return new Array<string>(count).fill(kind === 'zero' ? '' : String(text));
  const isFloat = datatype.startsWith('FP') || datatype === 'BF16';
  const one = () => (isFloat ? Math.floor(random() * 1e5) / 1e5 : Math.floor(random() * 2));
  return Array.from({ length: count }, kind === 'zero' ? () => 0 : one);
}

/** The same elements, little-endian, as they travel in binary bodies. */
export function elementBytesOf(datatype: Datatype, values: readonly (number | string)[]): Buffer {
  if (datatype === 'BYTES') return Buffer.concat(values.map((value) => lengthPrefixed(Buffer.from(String(value)))));
  const numbers = values as readonly number[];
  const { buffer } = arrayOf(datatype, numbers);
  return Buffer.from(buffer);
}

function arrayOf(datatype: Exclude<Datatype, 'BYTES'>, values: readonly number[]): { readonly buffer: ArrayBuffer } {
  switch (datatype) {
    case 'FP32':
      return Float32Array.from(values);
    case 'FP64':
      return Float64Array.from(values);
    case 'FP16':
      return Uint16Array.from(values, halfBits);
    case 'BF16':
      // The upper half of a float.
      return Uint16Array.from(values, (value) => floatBits(value) >>> 16);
    case 'INT64':
    case 'UINT64':
      return BigInt64Array.from(values, (value) => BigInt(value));
    case 'INT32':
    case 'UINT32':
      return Uint32Array.from(values);
    case 'INT16':
    case 'UINT16':
      return Uint16Array.from(values);
    case 'INT8':
    case 'UINT8':
    case 'BOOL':
      return Uint8Array.from(values);
  }
}

/** Of a number in [0, 1): below 2^-14 it becomes 0. */
function halfBits(value: number): number {
  const bits = floatBits(value);
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  return exponent <= 0 ? 0 : (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

const float = new DataView(new ArrayBuffer(4));

function floatBits(value: number): number {
  float.setFloat32(0, value);
  return float.getUint32(0);
}

function lengthPrefixed(bytes: Buffer): Buffer {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32LE(bytes.byteLength);
  return Buffer.concat([prefix, bytes]);
}
