import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import type { WireTensor } from '../../fixtures/v2-client.ts';

/** What ONNX's own runner allows for the tests of whole networks, which reorder sums most. */
const relativeTolerance = 1e-3;
const absoluteTolerance = 1e-3;

/** Undefined if all is well, else the first thing that is not. Floats may differ a little, everything else not at all. */
export function difference(got: WireTensor | undefined, wanted: WireTensor): string | undefined {
  if (got === undefined) return `there is no output '${wanted.name}'`;
  if (got.datatype !== wanted.datatype) return `${got.datatype} instead of ${wanted.datatype}`;
  if (got.shape.join() !== wanted.shape.join()) return `shape [${got.shape}] instead of [${wanted.shape}]`;
  const read = floatReaders[wanted.datatype];
  if (read === undefined) return Buffer.compare(got.bytes, wanted.bytes) === 0 ? undefined : 'other values';
  const [a, b] = [viewOf(got), viewOf(wanted)];
  if (a.byteLength !== b.byteLength) return `${a.byteLength} bytes instead of ${b.byteLength}`;
  for (let at = 0; at < b.byteLength; at += elementBytes[wanted.datatype]) {
    const [x, y] = [read(a, at), read(b, at)];
    if (!close(x, y)) return `${x} instead of ${y} at element ${at / elementBytes[wanted.datatype]}`;
  }
  return undefined;
}

function close(x: number, y: number): boolean {
  if (Object.is(x, y) || x === y) return true;
  return Math.abs(x - y) <= absoluteTolerance + relativeTolerance * Math.abs(y);
}

const floatReaders: Partial<Record<Datatype, (view: DataView, at: number) => number>> = {
  FP16: (view, at) => halfToNumber(view.getUint16(at, true)),
  BF16: (view, at) => bfloatToNumber(view.getUint16(at, true)),
  FP32: (view, at) => view.getFloat32(at, true),
  FP64: (view, at) => view.getFloat64(at, true),
};

function viewOf({ bytes }: WireTensor): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** IEEE 754 binary16: sign, five bits of exponent, ten of fraction. */
function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** The upper half of a binary32. */
function bfloatToNumber(bits: number): number {
  return new Float32Array(Uint32Array.of(bits << 16).buffer)[0] ?? Number.NaN;
}
