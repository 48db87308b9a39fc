import { type Datatype, elementBytes } from '../tensors/datatype.ts';
import type { Tensor } from '../tensors/tensor.ts';

/** Tensors travel little-endian, and so is every machine that Node is built for today but one (s390x). */
const views = {
  BOOL: Uint8Array,
  UINT8: Uint8Array,
  UINT16: Uint16Array,
  UINT32: Uint32Array,
  UINT64: BigUint64Array,
  INT8: Int8Array,
  INT16: Int16Array,
  INT32: Int32Array,
  INT64: BigInt64Array,
  FP32: Float32Array,
  FP64: Float64Array,
} as const;

export type TypedDatatype = keyof typeof views;
export type TypedElements = InstanceType<(typeof views)[TypedDatatype]>;

export function hasTypedElements(datatype: Datatype): datatype is TypedDatatype {
  return Object.hasOwn(views, datatype);
}

/** The elements of a tensor to read from: a view where its bytes are in one aligned piece, else a view of a copy. */
export function typedElements(tensor: Tensor, datatype: TypedDatatype): TypedElements {
  const size = elementBytes[datatype];
  const [first] = tensor.parts;
  const aligned = tensor.parts.length === 1 && first!.byteOffset % size === 0;
  const bytes = aligned ? first! : joinAligned(tensor);
  return new views[datatype](bytes.buffer as ArrayBuffer, bytes.byteOffset, tensor.byteLength / size);
}

function joinAligned({ parts, byteLength }: Tensor): Uint8Array {
  const joined = new Uint8Array(byteLength);
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.byteLength;
  }
  return joined;
}

/** The elements of a BYTES tensor, as views where the parts allow it. */
export function stringElements(tensor: Tensor): Buffer[] {
  const joined = tensor.parts.length === 1 ? tensor.parts[0]! : joinAligned(tensor);
  const bytes = Buffer.from(joined.buffer, joined.byteOffset, joined.byteLength);
  const elements: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32LE(at);
    elements.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return elements;
}
