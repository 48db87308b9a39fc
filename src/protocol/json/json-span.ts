import { backslash, closeBrace, closeBracket, openBrace, openBracket, quote } from './json-characters.ts';
import type { JsonCursor } from './json-cursor.ts';

/** Where an array or object stands in a text; it is read, and its syntax checked, when its datatype is known. */
export interface JsonSpan {
  readonly start: number;
  /** Behind the closing bracket or brace. */
  readonly end: number;
  /** How many arrays and objects stand around it. */
  readonly depth: number;
}

/** Steps over the array at the cursor by its brackets and strings alone. */
export function skipArray(cursor: JsonCursor): JsonSpan {
  const start = cursor.at;
  cursor.at = endOfFlatNumbers(cursor.bytes, start) ?? endByBrackets(cursor, openBracket, closeBracket);
  return { start, end: cursor.at, depth: cursor.depth };
}

/** Steps over the object at the cursor by its braces and strings alone. */
export function skipObject(cursor: JsonCursor): JsonSpan {
  const start = cursor.at;
  cursor.at = endByBrackets(cursor, openBrace, closeBrace);
  return { start, end: cursor.at, depth: cursor.depth };
}

/**
 * A flat array without strings ends at the first closing bracket: native searches find that at memory speed. Each byte is
 * looked at here once at most, because an array never ends before its first closing bracket.
 */
function endOfFlatNumbers(bytes: Buffer, start: number): number | undefined {
  const close = bytes.indexOf(closeBracket, start);
  if (close < 0) return undefined;
  const inside = bytes.subarray(start + 1, close);
  return inside.indexOf(quote) < 0 && inside.indexOf(openBracket) < 0 ? close + 1 : undefined;
}

function endByBrackets(cursor: JsonCursor, open: number, close: number): number {
  const { bytes, at: start } = cursor;
  let depth = 0;
  for (let at = start; at < bytes.length; at++) {
    const byte = bytes[at]!;
    if (byte < openBracket) {
      if (byte === quote) at = closingQuote(bytes, at);
    } else if (byte === open) depth++;
    else if (byte === close && --depth === 0) return at + 1;
  }
  const missing = open === openBrace ? "'}' after an object member." : "']' after an array element.";
  throw cursor.fault(`Missing a comma or ${missing}`, bytes.length);
}

function closingQuote(bytes: Buffer, open: number): number {
  let at = open + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}
