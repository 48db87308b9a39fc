import { SkeinError } from '../errors.ts';
import { openBrace, openBracket } from '../json/json-characters.ts';
import { JsonCursor } from '../json/json-cursor.ts';
import { skipArray, skipObject } from '../json/json-span.ts';
import { readMembers, readValue } from '../json/json-value.ts';
import type { Tensor, TensorSpec } from '../tensors/tensor.ts';
import { isBase64 } from './base64-value.ts';
import { readDense } from './dense-value.ts';
import { elementSink } from './element-sink.ts';
import type { RequestDocument } from './request-document.ts';

/** `inputs`: an object of named values, or the value of the only input. Names beyond the model's are not looked at. */
export function readColumnInputs(document: RequestDocument, specs: readonly TensorSpec[]): Tensor[] {
  const cursor = document.cursorOn('inputs');
  if (cursor.peek() !== openBrace || isBase64(cursor)) {
    const required = specs.filter(({ optional }) => optional !== true);
    const candidates = required.length > 0 ? required : specs;
    if (candidates.length !== 1) throw new SkeinError('v1_plain_inputs');
    return [readTensor(cursor, candidates[0]!)];
  }
  const values = new Map<string, number>();
  const { depth } = cursor;
  readMembers(cursor, (name) => {
    const byte = cursor.peek();
    if (!values.has(name)) values.set(name, cursor.at);
    if (byte === openBracket) skipArray(cursor);
    else if (byte === openBrace) skipObject(cursor);
    else readValue(cursor);
  });
  return specs.flatMap((spec) => {
    const at = values.get(spec.name);
    if (at !== undefined) return readTensor(new JsonCursor(document.text, at, depth + 1), spec);
    if (spec.optional === true) return [];
    throw new SkeinError('v1_input_missing', { input: spec.name });
  });
}

function readTensor(cursor: JsonCursor, { name, datatype }: TensorSpec): Tensor {
  const sink = elementSink(datatype);
  const shape = readDense(cursor, sink);
  const bytes = sink.bytes();
  return { name, datatype, shape, parts: bytes.byteLength === 0 ? [] : [bytes], byteLength: bytes.byteLength };
}
