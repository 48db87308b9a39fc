import { SkeinError } from '../errors.ts';
import type { WireReader } from '../protobuf/wire-reader.ts';
import type { WireWriter } from '../protobuf/wire-writer.ts';
import { type Datatype, elementBytes } from '../tensors/datatype.ts';
import { elementCount, type Tensor } from '../tensors/tensor.ts';
import { stringElements, typedElements } from '../v2/typed-elements.ts';
import { dataTypeOf, datatypeOfNumber } from './data-type.ts';
import { TensorValues } from './tensor-values.ts';

/** A tensor.proto of a request as a tensor, checked in itself: whether the model takes it is checked elsewhere. */
export function readTensorProto(reader: WireReader, name: string): Tensor {
  let type = 0;
  let shape: readonly number[] = [];
  let content: Uint8Array[] = [];
  const values = new TensorValues();
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) type = reader.int32();
    else if (field === 2) shape = reader.message((inner) => readShape(inner, name));
    else if (field === 4) content = reader.parts();
    else if (!values.take(reader, field)) reader.skip();
  }
  const datatype = datatypeOfNumber(type);
  if (datatype === undefined) throw new SkeinError('tensor_proto_type', { input: name, type });
  const count = elementCount(shape);
  if (content.length > 0) return ofContent(name, datatype, shape, content);
  const parts = values.fill(datatype, count, (reason) => parsingError(name, reason));
  return { name, datatype, shape, parts, byteLength: lengthOf(parts) };
}

/** Bytes as they lie in memory. Strings never come so. */
function ofContent(name: string, datatype: Datatype, shape: readonly number[], parts: readonly Uint8Array[]): Tensor {
  const byteLength = lengthOf(parts);
  const expected = elementCount(shape) * elementBytes[datatype];
  if (datatype === 'BYTES') throw parsingError(name, 'strings stand in string_val, not in tensor_content');
  if (byteLength !== expected) {
    throw parsingError(name, `tensor_content is ${byteLength} bytes, and its shape says ${expected}`);
  }
  return { name, datatype, shape, parts, byteLength };
}

function parsingError(input: string, reason: string): SkeinError {
  return new SkeinError('tensor_proto_malformed', { input, reason });
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  return length;
}

const maxRank = 254;

/** TensorShapeProto: every dimension known. */
function readShape(reader: WireReader, name: string): number[] {
  const shape: number[] = [];
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 2) shape.push(reader.message(readDimension));
    else if (field === 3 && reader.bool()) throw parsingError(name, 'its shape is unknown');
    else if (field !== 3) reader.skip();
  }
  // As in V2, were a size of 0 a 1: runtimes multiply in another order, and some end where they cannot.
  const isKnown =
    shape.every((size) => size >= 0) && Number.isSafeInteger(elementCount(shape.map((size) => size || 1)));
  if (!isKnown || shape.length > maxRank) throw parsingError(name, `its shape is [${shape.slice(0, 16).join(',')}]`);
  return shape;
}

function readDimension(reader: WireReader): number {
  let size = 0;
  for (let field = reader.next(); field !== 0; field = reader.next()) {
    if (field === 1) size = Number(reader.int64());
    else reader.skip();
  }
  return size;
}

/** TensorShapeProto; a dimension of -1 is free. */
export function writeShape(writer: WireWriter, shape: readonly number[]): void {
  for (const size of shape) {
    writer.message(2, (dimension) => {
      if (size !== 0) dimension.int64(1, BigInt(size));
    });
  }
}

/**
 * The values one by one in the field of their type, as TensorFlow Serving answers: clients read `float_val` and its like
 * directly. Floats and doubles are the bytes of the tensor, uncopied.
 */
export function writeTensorProto(writer: WireWriter, tensor: Tensor): void {
  const { datatype, shape } = tensor;
  writer.int32(1, dataTypeOf(datatype).number);
  writer.message(2, (inner) => writeShape(inner, shape));
  if (tensor.byteLength > 0) writeValues(writer, tensor);
}

function writeValues(writer: WireWriter, tensor: Tensor): void {
  const { datatype } = tensor;
  switch (datatype) {
    case 'FP32':
      writer.bytes(5, tensor.parts);
      return;
    case 'FP64':
      writer.bytes(6, tensor.parts);
      return;
    case 'BYTES':
      for (const element of stringElements(tensor)) writer.bytes(8, [element]);
      return;
    case 'FP16':
    case 'BF16': {
      const bits = typedElements(tensor, 'UINT16');
      writer.packed(13, bits.length, (i) => bits[i]!);
      return;
    }
    default: {
      const elements = typedElements(tensor, datatype);
      writer.packed(integerFields[datatype], elements.length, (i) => elements[i]!);
    }
  }
}

const integerFields = {
  INT32: 7,
  INT16: 7,
  INT8: 7,
  UINT8: 7,
  UINT16: 7,
  INT64: 10,
  BOOL: 11,
  UINT32: 16,
  UINT64: 17,
} as const;
