/** Reads the files input_N.pb and output_N.pb of ONNX test data: one TensorProto each, as onnx.proto3 defines it. */
import { type Datatype, elementBytes } from '../../../src/protocol/tensors/datatype.ts';
import type { WireTensor } from '../../fixtures/v2-client.ts';

/** `TensorProto.DataType` to V2's names; complex numbers have none. */
const datatypes: Readonly<Record<number, Datatype>> = {
  1: 'FP32',
  2: 'UINT8',
  3: 'INT8',
  4: 'UINT16',
  5: 'INT16',
  6: 'INT32',
  7: 'INT64',
  8: 'BYTES',
  9: 'BOOL',
  10: 'FP16',
  11: 'FP64',
  12: 'UINT32',
  13: 'UINT64',
  16: 'BF16',
};

type Field = { readonly number: number; readonly value: bigint } | { readonly number: number; readonly bytes: Buffer };

/** Throws where the file holds something else than a tensor of V2's datatypes. */
export function readTensorProto(file: Buffer): WireTensor {
  const shape: number[] = [];
  const pieces: Buffer[] = [];
  let code = 0;
  let name = '';
  const fields = [...fieldsOf(file)];
  for (const field of fields) {
    if (field.number === 1) shape.push(...integersOf(field).map(Number));
    if (field.number === 2 && 'value' in field) code = Number(field.value);
    if (field.number === 8 && 'bytes' in field) name = field.bytes.toString();
  }
  const datatype = datatypes[code];
  if (datatype === undefined) throw new TypeError(`no V2 datatype for ONNX data type ${code}`);
  for (const field of fields) pieces.push(...elementsOf(field, datatype));
  return { name, datatype, shape, bytes: Buffer.concat(pieces) };
}

/** The bytes that a field adds to the tensor: raw data as they are, typed lists encoded, strings with their length. */
function elementsOf(field: Field, datatype: Datatype): Buffer[] {
  if (field.number === 9 && 'bytes' in field) return [field.bytes];
  if (field.number === 6 && 'bytes' in field) {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(field.bytes.length);
    return [length, field.bytes];
  }
  // float_data and double_data, packed: already little-endian elements
  if ((field.number === 4 || field.number === 10) && 'bytes' in field) return [field.bytes];
  // int32_data carries every type of at most 32 bits, half floats as their bits; int64_data and uint64_data the others
  if ([5, 7, 11].includes(field.number))
    return integersOf(field).map((value) => littleEndian(value, elementBytes[datatype]));
  return [];
}

function littleEndian(value: bigint, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, sizeBytes);
}

/** A varint field's value, or all of a packed one. */
function integersOf(field: Field): bigint[] {
  if ('value' in field) return [BigInt.asIntN(64, field.value)];
  const values: bigint[] = [];
  for (let at = 0; at < field.bytes.length; ) {
    const { value, next } = readVarint(field.bytes, at);
    values.push(BigInt.asIntN(64, value));
    at = next;
  }
  return values;
}

function* fieldsOf(message: Buffer): Generator<Field> {
  for (let at = 0; at < message.length; ) {
    const tag = readVarint(message, at);
    const number = Number(tag.value >> 3n);
    const wireType = Number(tag.value & 7n);
    if (wireType === 0) {
      const { value, next } = readVarint(message, tag.next);
      yield { number, value };
      at = next;
    } else {
      const length =
        wireType === 2 ? readVarint(message, tag.next) : { value: wireType === 5 ? 4n : 8n, next: tag.next };
      at = length.next + Number(length.value);
      yield { number, bytes: message.subarray(length.next, at) };
    }
  }
}

function readVarint(bytes: Buffer, from: number): { readonly value: bigint; readonly next: number } {
  let value = 0n;
  for (let at = from, shift = 0n; ; at++, shift += 7n) {
    const byte = bytes[at];
    if (byte === undefined) throw new RangeError('the protobuf message ends inside a number');
    value |= BigInt(byte & 0x7f) << shift;
    if (byte < 0x80) return { value, next: at + 1 };
  }
}
