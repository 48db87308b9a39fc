import { dot, lowerE, minus, nine, upperE, zero } from './json-characters.ts';
import type { JsonCursor } from './json-cursor.ts';
import { readReal } from './json-real.ts';

/** A number written with a fraction, an exponent or a name: never an integer to a reader that asks for one. */
export class JsonReal {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

type JsonNumber = number | bigint | JsonReal;

/** Integers as long as RapidJSON keeps them whole: what neither int64 nor uint64 holds is a real. */
const int64Min = -(2n ** 63n);
const uint64Max = 2n ** 64n - 1n;

/** The number at the cursor, or the fault that there is none. */
export function readNumber(cursor: JsonCursor): JsonNumber {
  const { bytes, at } = cursor;
  let end = at;
  const negative = bytes[end] === minus;
  if (negative) end++;
  const firstDigit = end;
  let value = 0;
  if (bytes[end] === zero) end++;
  else for (; bytes[end]! >= zero && bytes[end]! <= nine; end++) value = value * 10 + (bytes[end]! - zero);
  const next = bytes[end];
  if (end === firstDigit || next === dot || next === lowerE || next === upperE) return new JsonReal(readReal(cursor));
  cursor.at = end;
  if (end - firstDigit <= 15) return negative && value > 0 ? -value : value;
  return longInteger(cursor, at, end);
}

function longInteger(cursor: JsonCursor, start: number, end: number): JsonNumber {
  // 20 digits and a sign are the most that an integer of 64 bits needs; converting more would be quadratic for nothing
  if (end - start <= 21) {
    const value = BigInt(cursor.bytes.toString('latin1', start, end));
    const exact = Number(value);
    if (Number.isSafeInteger(exact)) return exact;
    if (value >= int64Min && value <= uint64Max) return value;
  }
  cursor.at = start;
  return new JsonReal(readReal(cursor));
}
