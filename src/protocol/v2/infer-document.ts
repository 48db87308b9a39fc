import { openBrace, openBracket } from '../json/json-characters.ts';
import type { JsonCursor } from '../json/json-cursor.ts';
import { closeDocument, openDocument } from '../json/json-document.ts';
import { type JsonSpan, skipArray } from '../json/json-span.ts';
import { type JsonValue, readElements, readMembers, readValue } from '../json/json-value.ts';

/** An infer request as its JSON says it, nothing checked but the syntax; of members with the same name the first counts. */
export interface InferDocument {
  id?: JsonValue;
  parameters?: JsonValue;
  inputs?: InputDocument[] | NotAnArray;
  outputs?: JsonValue;
}

export interface InputDocument {
  name?: JsonValue;
  shape?: JsonValue;
  datatype?: JsonValue;
  parameters?: JsonValue;
  /** Where the values stand: what they are is read when shape and datatype are known, which may come after them. */
  data?: JsonSpan | NotAnArray;
}

export const notAnArray = 'not an array';
type NotAnArray = typeof notAnArray;

/**
 * Reads the document; what does not belong to it is read and dropped. `beforeTrailing` may throw a better fault than
 * that something stands behind the root.
 */
export function readInferDocument(text: Uint8Array, beforeTrailing: (document: InferDocument) => void): InferDocument {
  const cursor = openDocument(text);
  const document: InferDocument = {};
  if (cursor.peek() !== openBrace) readValue(cursor);
  else readMembers(cursor, (name) => readRootMember(cursor, document, name));
  if (!Number.isNaN(cursor.peek())) beforeTrailing(document);
  closeDocument(cursor);
  return document;
}

function readRootMember(cursor: JsonCursor, document: InferDocument, name: string): void {
  if (name === 'inputs' && document.inputs === undefined) document.inputs = readInputs(cursor);
  else {
    const value = readValue(cursor);
    if (name === 'id') document.id ??= value;
    else if (name === 'parameters') document.parameters ??= value;
    else if (name === 'outputs') document.outputs ??= value;
  }
}

function readInputs(cursor: JsonCursor): InputDocument[] | NotAnArray {
  if (cursor.peek() !== openBracket) {
    readValue(cursor);
    return notAnArray;
  }
  const inputs: InputDocument[] = [];
  readElements(cursor, () => {
    const input: InputDocument = {};
    inputs.push(input);
    if (cursor.peek() !== openBrace) readValue(cursor);
    else readMembers(cursor, (name) => readInputMember(cursor, input, name));
  });
  return inputs;
}

function readInputMember(cursor: JsonCursor, input: InputDocument, name: string): void {
  if (name === 'data' && input.data === undefined) input.data = readData(cursor);
  else {
    const value = readValue(cursor);
    if (name === 'name') input.name ??= value;
    else if (name === 'shape') input.shape ??= value;
    else if (name === 'datatype') input.datatype ??= value;
    else if (name === 'parameters') input.parameters ??= value;
  }
}

function readData(cursor: JsonCursor): JsonSpan | NotAnArray {
  if (cursor.peek() === openBracket) return skipArray(cursor);
  readValue(cursor);
  return notAnArray;
}
