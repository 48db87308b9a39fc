import koffi from 'koffi';
import { WireWriter } from '../../../protocol/protobuf/wire-writer.ts';
import { elementCount, type Tensor } from '../../../protocol/tensors/tensor.ts';
import { dataTypeOf } from './data-types.ts';
import type { Pointer } from './tensorflow-api.ts';

/**
 * Strings go in as a TensorProto, of which TensorFlow makes strings that it owns and frees. They come out as an array of
 * TF_TString (tsl/platform/ctstring_internal.h), 24 bytes each, whose lowest two bits say where the bytes are:
 *
 *   0 small    size << 2 in the first byte, the bytes behind it
 *   1 large    size << 2 in 8 bytes, capacity, address
 *   2 offset   size << 2 in 4 bytes, 4 bytes of distance from the string itself
 *   3 view     size << 2 in 8 bytes, address
 */
const stringBytes = 24;

/** V2's form (4-byte length and bytes, element after element) as a TensorProto: data type, shape, string_val. */
export function stringTensorProto({ parts, shape }: Tensor): Buffer {
  const encoded = parts.length === 1 ? asBuffer(parts[0]!) : Buffer.concat(parts);
  const elements = elementCount(shape);
  const writer = new WireWriter();
  writer.int32(1, dataTypeOf.BYTES);
  writer.message(2, (shaped) => {
    for (const size of shape) shaped.message(2, (dimension) => dimension.int32(1, size));
  });
  let at = 0;
  for (let i = 0; i < elements; i++) {
    const end = at + 4 + encoded.readUInt32LE(at);
    if (end > encoded.length) throw new RangeError('a string is longer than its tensor');
    writer.bytes(8, [encoded.subarray(at + 4, end)]);
    at = end;
  }
  return writer.joined();
}

/** The strings of an array of TF_TString, in V2's form. */
export function readStrings(data: Pointer, elements: number): Buffer {
  const array = Buffer.from(koffi.view(data, elements * stringBytes));
  const views: Uint8Array[] = [];
  let total = 4 * elements;
  for (let i = 0; i < elements; i++) {
    const view = readString(array, i * stringBytes, data);
    views.push(view);
    total += view.byteLength;
  }
  const encoded = Buffer.allocUnsafe(total);
  let at = 0;
  for (const view of views) {
    encoded.writeUInt32LE(view.byteLength, at);
    encoded.set(view, at + 4);
    at += 4 + view.byteLength;
  }
  return encoded;
}

function readString(array: Buffer, at: number, data: Pointer): Uint8Array {
  const kind = array[at]! & 3;
  if (kind === 0) return array.subarray(at + 1, at + 1 + (array[at]! >> 2));
  if (kind === 2) {
    const address = data + BigInt(at + array.readUInt32LE(at + 4));
    return viewOf(address, array.readUInt32LE(at) >>> 2);
  }
  const size = Number(array.readBigUInt64LE(at) >> 2n);
  return viewOf(array.readBigUInt64LE(at + (kind === 1 ? 16 : 8)), size);
}

function viewOf(address: Pointer, length: number): Uint8Array {
  return length === 0 ? new Uint8Array(0) : new Uint8Array(koffi.view(address, length));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
