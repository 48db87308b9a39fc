import { SkeinError } from '../errors.ts';
import { missingMember, wrongKind } from '../json/data-faults.ts';
import type { JsonValue } from '../json/json-value.ts';
import { readTensorData } from '../json/tensor-data.ts';
import { elementBytes, isDatatype } from '../tensors/datatype.ts';
import { elementCount, type Tensor } from '../tensors/tensor.ts';
import type { BodyPieces } from './body-pieces.ts';
import { excerpt } from './excerpt.ts';
import { type InputDocument, notAnArray } from './infer-document.ts';
import { type AheadArray, aheadElements } from './read-ahead.ts';
import { readShape } from './read-shape.ts';

/** Where the values of inputs come from. */
export interface InputSources {
  readonly model: string;
  readonly text: Buffer;
  /** What follows the JSON; undefined when the request has no inference header, and so no binary values. */
  readonly binary: BodyPieces | undefined;
  /** Arrays that were read already. */
  readonly ahead?: readonly AheadArray[] | undefined;
}

/** One input of a request as a tensor of its own word: whether the model takes it is checked elsewhere. */
export function readInput(document: InputDocument, sources: InputSources): Tensor {
  const binarySize = binarySizeOf(document);
  checkSources(document, binarySize);
  const name = readText(document.name, 'name');
  const datatype = readText(document.datatype, 'datatype');
  const shape = readShape(document.shape, excerpt(name));
  if (!isDatatype(datatype)) throw unknownDatatype(name);
  if (binarySize !== undefined) {
    const byteLength = readBinarySize(binarySize);
    return { name, datatype, shape, parts: takeBinary(name, byteLength, sources), byteLength };
  }
  if (datatype === 'FP16' || datatype === 'BF16') {
    throw new SkeinError('half_float_json_in', { datatype, input: excerpt(name) });
  }
  const span = document.data;
  if (span === undefined || span === notAnArray) throw wrongKind("'data'", 'array');
  const ahead = aheadElements(sources.ahead, span.start);
  const bytes = ahead ?? readTensorData(sources.text, span, datatype, elementCount(shape));
  return { name, datatype, shape, parts: bytes.byteLength === 0 ? [] : [bytes], byteLength: bytes.byteLength };
}

function unknownDatatype(input: string): SkeinError {
  const datatypes = Object.keys(elementBytes).join(', ');
  return new SkeinError('datatype_unknown', { input: excerpt(input), datatypes });
}

/** Whether an input says that its values follow the JSON; also asked where the JSON is not the whole body. */
export function binarySizeOf(document: InputDocument): JsonValue | undefined {
  return document.parameters instanceof Map ? document.parameters.get('binary_data_size') : undefined;
}

function checkSources(document: InputDocument, binarySize: JsonValue | undefined): void {
  const parameters = document.parameters;
  const shared = parameters instanceof Map && parameters.has('shared_memory_region');
  const binary = binarySize !== undefined;
  const data = document.data !== undefined;
  if (Number(data) + Number(binary) + Number(shared) === 1) {
    if (shared) throw new SkeinError('shared_memory_disabled');
    return;
  }
  const set = `${data ? " 'data'" : ''}${binary ? " 'binary_data_size'" : ''}${shared ? " 'shared_memory_region'" : ''}`;
  throw new SkeinError('data_sources', { found: set === '' ? 'no field is set' : `set${set}` });
}

export function readText(value: JsonValue | undefined, field: string): string {
  if (value === undefined) throw missingMember(field);
  if (typeof value !== 'string') throw wrongKind(`'${field}'`, 'string');
  return value;
}

function readBinarySize(value: JsonValue): number {
  const size = typeof value === 'bigint' ? Number(value) : value;
  if (typeof size !== 'number' || size < 0) throw wrongKind("'binary_data_size'", 'unsigned');
  return size;
}

function takeBinary(name: string, byteLength: number, { model, binary }: InputSources): Uint8Array[] {
  if (byteLength === 0) return [];
  if (binary === undefined) throw new SkeinError('binary_without_header');
  if (byteLength > binary.left) {
    throw new SkeinError('binary_too_short', { input: excerpt(name), missingBytes: byteLength - binary.left, model });
  }
  return binary.take(byteLength);
}
