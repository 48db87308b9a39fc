import { SkeinError } from '../errors.ts';
import { closeBrace, colon, openBrace, quote } from '../json/json-characters.ts';
import { JsonCursor } from '../json/json-cursor.ts';
import { readString } from '../json/json-string.ts';
import { debugText } from './debug-text.ts';

/** Whether the value at the cursor is `{"b64": "…"}` and nothing more; the cursor stays where it is. */
export function isBase64(cursor: JsonCursor): boolean {
  return base64At(cursor) !== undefined;
}

/** The bytes of the `{"b64": "…"}` at the cursor, which then stands behind it. */
export function readBase64(cursor: JsonCursor): Uint8Array {
  const found = base64At(cursor);
  if (found === undefined) throw new SkeinError('v1_base64_object', { value: debugText(cursor.bytes, cursor.at) });
  cursor.at = found.end;
  const compact = found.text.replace(/\s+/g, '');
  const digits = compact.replace(/={1,2}$/, '');
  const isPadded = digits.length !== compact.length;
  if (/[^A-Za-z0-9+/]/.test(digits) || digits.length % 4 === 1 || (isPadded && compact.length % 4 !== 0)) {
    throw new SkeinError('v1_base64');
  }
  return Buffer.from(digits, 'base64');
}

function base64At({ bytes, at }: JsonCursor): { readonly text: string; readonly end: number } | undefined {
  const cursor = new JsonCursor(bytes, at);
  if (cursor.peek() !== openBrace) return undefined;
  cursor.at++;
  if (cursor.peek() !== quote || readString(cursor) !== 'b64') return undefined;
  if (cursor.peek() !== colon) return undefined;
  cursor.at++;
  if (cursor.peek() !== quote) return undefined;
  const text = readString(cursor);
  if (cursor.peek() !== closeBrace) return undefined;
  return { text, end: cursor.at + 1 };
}
