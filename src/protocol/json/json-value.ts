import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  lowerF,
  lowerN,
  lowerT,
  openBrace,
  openBracket,
  quote,
} from './json-characters.ts';
import type { JsonCursor } from './json-cursor.ts';
import { type JsonReal, readNumber } from './json-number.ts';
import { readString } from './json-string.ts';

/** Integers are `number` while that is exact, `bigint` beyond. Of members with the same name the first counts. */
export type JsonValue = null | boolean | string | number | bigint | JsonReal | JsonValue[] | JsonObject;
type JsonObject = Map<string, JsonValue>;

/** The value at the cursor, whatever it is. */
export function readValue(cursor: JsonCursor): JsonValue {
  switch (cursor.peek()) {
    case openBrace:
      return readObject(cursor);
    case openBracket:
      return readArray(cursor);
    case quote:
      return readString(cursor);
    case lowerT:
      return readName(cursor, 'true', true);
    case lowerF:
      return readName(cursor, 'false', false);
    case lowerN:
      return readName(cursor, 'null', null);
    default:
      return readNumber(cursor);
  }
}

function readObject(cursor: JsonCursor): JsonObject {
  const object: JsonObject = new Map();
  readMembers(cursor, (name) => {
    const value = readValue(cursor);
    if (!object.has(name)) object.set(name, value);
  });
  return object;
}

function readArray(cursor: JsonCursor): JsonValue[] {
  const array: JsonValue[] = [];
  readElements(cursor, () => array.push(readValue(cursor)));
  return array;
}

/** Steps through the object at the cursor; `onMember` must read the member's value. */
export function readMembers(cursor: JsonCursor, onMember: (name: string) => void): void {
  cursor.enter();
  cursor.at++;
  if (cursor.peek() === closeBrace) cursor.at++;
  else {
    for (;;) {
      if (cursor.peek() !== quote) throw cursor.fault('Missing a name for object member.');
      const name = readString(cursor);
      if (cursor.peek() !== colon) throw cursor.fault('Missing a colon after a name of object member.');
      cursor.at++;
      onMember(name);
      const next = cursor.peek();
      if (next !== comma && next !== closeBrace) throw cursor.fault("Missing a comma or '}' after an object member.");
      cursor.at++;
      if (next === closeBrace) break;
    }
  }
  cursor.leave();
}

/** Steps through the array at the cursor; `onElement` must read the element. */
export function readElements(cursor: JsonCursor, onElement: () => void): void {
  cursor.enter();
  cursor.at++;
  if (cursor.peek() === closeBracket) cursor.at++;
  else {
    for (;;) {
      onElement();
      const next = cursor.peek();
      if (next !== comma && next !== closeBracket) throw cursor.fault("Missing a comma or ']' after an array element.");
      cursor.at++;
      if (next === closeBracket) break;
    }
  }
  cursor.leave();
}

export function readName<T>(cursor: JsonCursor, name: string, value: T): T {
  const { bytes, at } = cursor;
  for (let i = 0; i < name.length; i++) {
    if (bytes[at + i] !== name.charCodeAt(i)) throw cursor.fault('Invalid value.', Math.min(at + i, bytes.length));
  }
  cursor.at = at + name.length;
  return value;
}
