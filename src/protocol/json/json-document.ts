import { JsonCursor } from './json-cursor.ts';
import { type JsonValue, readValue } from './json-value.ts';

const byteOrderMark = [0xef, 0xbb, 0xbf];

/** A cursor on the root value of a text; a byte-order mark and white space before it are stepped over. */
export function openDocument(bytes: Uint8Array): JsonCursor {
  const marked = byteOrderMark.every((byte, at) => bytes[at] === byte);
  const cursor = new JsonCursor(bytes, marked ? byteOrderMark.length : 0);
  if (Number.isNaN(cursor.peek())) throw cursor.fault('The document is empty.');
  return cursor;
}

/** Nothing but white space may follow the root. */
export function closeDocument(cursor: JsonCursor): void {
  if (!Number.isNaN(cursor.peek())) throw cursor.fault('The document root must not be followed by other values.');
}

/** A whole text as one value; for small bodies without tensors. */
export function readDocument(bytes: Uint8Array): JsonValue {
  const cursor = openDocument(bytes);
  const value = readValue(cursor);
  closeDocument(cursor);
  return value;
}
