import { backslash, lowerU, quote, space } from './json-characters.ts';
import type { JsonCursor } from './json-cursor.ts';
import { shortString } from './short-strings.ts';

/** The string at the cursor, which stands on its opening quote. Bytes that are no UTF-8 become U+FFFD. */
export function readString(cursor: JsonCursor): string {
  const bytes = cursor.bytes;
  const start = cursor.at + 1;
  let at = start;
  let seen = 0;
  for (; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte === quote) {
      cursor.at = at + 1;
      return seen < 0x80 ? shortString(bytes, start, at) : bytes.toString('utf8', start, at);
    }
    if (byte === backslash || byte < space) break;
    seen |= byte;
  }
  const unescaped = Buffer.allocUnsafe(stringBytesBound(cursor));
  return unescaped.toString('utf8', 0, unescapeString(cursor, unescaped, 0));
}

/** How many bytes the string at the cursor can have once unescaped: as many as it has now. */
function stringBytesBound(cursor: JsonCursor): number {
  const bytes = cursor.bytes;
  let at = cursor.at + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return Math.max(0, Math.min(at, bytes.length) - cursor.at - 1);
}

/**
 * Writes the string at the cursor to `target` as UTF-8, from `to` on, and answers where it ended. An escape is never
 * shorter than what it stands for, so there is room when `target` has as many bytes as the text between the quotes.
 * Bytes above ASCII are moved as they are: a client that puts other bytes than UTF-8 into a string gets them back.
 */
export function unescapeString(cursor: JsonCursor, target: Uint8Array, to: number): number {
  const bytes = cursor.bytes;
  let from = cursor.at + 1;
  for (;;) {
    let at = from;
    let byte = bytes[at]!;
    while (byte >= space && byte !== quote && byte !== backslash) byte = bytes[++at]!;
    to = copyRun(bytes, from, at, target, to);
    if (byte !== backslash) {
      if (at >= bytes.length) throw cursor.fault('Missing a closing quotation mark in string.', at);
      if (byte !== quote) throw cursor.fault('Invalid encoding in string.', at);
      cursor.at = at + 1;
      return to;
    }
    cursor.at = at;
    const code = readEscape(cursor);
    from = cursor.at;
    if (code < 0x80) target[to++] = code;
    else to = writeUtf8(code, target, to);
  }
}

/** From this length on a native copy is cheaper than the call to it. */
const longRun = 48;

function copyRun(bytes: Buffer, from: number, end: number, target: Uint8Array, to: number): number {
  if (end - from < longRun) for (let at = from; at < end; at++) target[to++] = bytes[at]!;
  else to += bytes.copy(target, to, from, end);
  return to;
}

const shortEscapes = new Map([
  [0x22, 0x22],
  [0x5c, 0x5c],
  [0x2f, 0x2f],
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
]);

/** The code point of the escape at the cursor, which stands on the backslash. */
function readEscape(cursor: JsonCursor): number {
  const { bytes, at } = cursor;
  if (bytes[at + 1] !== lowerU) {
    const code = shortEscapes.get(bytes[at + 1] ?? -1);
    if (code === undefined) throw cursor.fault('Invalid escape character in string.');
    cursor.at = at + 2;
    return code;
  }
  const first = readHex(cursor, at + 2);
  cursor.at = at + 6;
  if (first < 0xd800 || first > 0xdfff) return first;
  const paired = first < 0xdc00 && bytes[at + 6] === backslash && bytes[at + 7] === lowerU;
  const second = paired ? readHex(cursor, at + 8) : 0;
  if (second < 0xdc00 || second > 0xdfff) throw cursor.fault('The surrogate pair in string is invalid.', at);
  cursor.at = at + 12;
  return 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
}

function readHex(cursor: JsonCursor, from: number): number {
  let value = 0;
  for (let at = from; at < from + 4; at++) {
    const digit = hexDigit(cursor.bytes[at] ?? 0);
    if (digit < 0) throw cursor.fault('Incorrect hex digit after \\u escape in string.', from - 2);
    value = value * 16 + digit;
  }
  return value;
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** For code points from U+0080 on. */
function writeUtf8(code: number, target: Uint8Array, to: number): number {
  if (code < 0x800) target[to++] = 0xc0 | (code >> 6);
  else {
    if (code < 0x10000) target[to++] = 0xe0 | (code >> 12);
    else {
      target[to++] = 0xf0 | (code >> 18);
      target[to++] = 0x80 | ((code >> 12) & 0x3f);
    }
    target[to++] = 0x80 | ((code >> 6) & 0x3f);
  }
  target[to++] = 0x80 | (code & 0x3f);
  return to;
}
