import { dot, lowerE, minus, plus, upperE, upperI, upperN, zero } from './json-characters.ts';
import type { JsonCursor } from './json-cursor.ts';
import { scaleDown } from './scale-down.ts';

/** Powers of ten that a double holds exactly. */
const exactPowers = Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);

/** Digits of each half of a significand: an int32 holds any nine, which is what makes reading them fast. */
const halfDigits = 9;

/** Any integer of this many digits is exact in a double. */
const exactDigits = 15;

/**
 * The number at the cursor as the nearest double, bit for bit what Number() makes of the same text; NaN, Infinity and
 * Inf are taken as well, as Triton takes them.
 *
 * Three ways, each only where it is exact. Up to 15 digits and a power of ten up to 22: one division or multiplication of
 * exact operands rounds once (Clinger 1990). Up to 18 digits, which is how most doubles are written: see
 * scaleDown. The rest, and what that cannot decide: Number().
 */
export function readReal(cursor: JsonCursor): number {
  const bytes = cursor.bytes;
  const start = cursor.at;
  const negative = bytes[start] === minus;
  let at = negative ? start + 1 : start;
  // the significand is high * 10 ** lowDigits + low
  let high = 0;
  let low = 0;
  let digits = 0;
  let exponent = 0;
  const first = at;
  let digit = bytes[at]! - zero;
  if (digit === 0) digit = bytes[++at]! - zero;
  else
    for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - zero) {
      if (digits++ < halfDigits) high = (high * 10 + digit) | 0;
      else low = (low * 10 + digit) | 0;
    }
  if (at === first) return readNamed(cursor, at, negative);
  if (digit === dot - zero) {
    const point = ++at;
    for (digit = bytes[at]! - zero; digit >= 0 && digit <= 9; digit = bytes[++at]! - zero) {
      if (digits < halfDigits) {
        high = (high * 10 + digit) | 0;
        if (high !== 0) digits++;
      } else {
        low = (low * 10 + digit) | 0;
        digits++;
      }
    }
    if (at === point) throw cursor.fault('Miss fraction part in number.', at);
    exponent = point - at;
  }
  if (digit === lowerE - zero || digit === upperE - zero) {
    cursor.at = at + 1;
    exponent += readExponent(cursor);
    at = cursor.at;
  }
  cursor.at = at;
  const value = combine(high, low, digits, exponent);
  if (Number.isNaN(value)) return roundByText(cursor, start, at);
  return negative ? -value : value;
}

/** (high, low) * 10 ** exponent, or NaN where only the text will do. */
function combine(high: number, low: number, digits: number, exponent: number): number {
  if (digits > 2 * halfDigits) return Number.NaN;
  const power = digits > halfDigits ? exactPowers[digits - halfDigits]! : 1;
  if (digits > exactDigits) return scaleDown(high, power, low, -exponent);
  const significand = high * power + low;
  if (exponent === 0) return significand;
  if (exponent < 0) return exponent >= -22 ? significand / exactPowers[-exponent]! : Number.NaN;
  return exponent <= 22 ? significand * exactPowers[exponent]! : Number.NaN;
}

/** The exponent after the `e`; beyond nine digits it is over every limit and only its sign matters. */
function readExponent(cursor: JsonCursor): number {
  const bytes = cursor.bytes;
  let at = cursor.at;
  const negative = bytes[at] === minus;
  if (negative || bytes[at] === plus) at++;
  const first = at;
  let value = 0;
  for (let digit = bytes[at]! - zero; digit >= 0 && digit <= 9; digit = bytes[++at]! - zero) {
    if (value < 1e9) value = value * 10 + digit;
  }
  if (at === first) throw cursor.fault('Miss exponent in number.', at);
  cursor.at = at;
  return negative ? -value : value;
}

function roundByText(cursor: JsonCursor, start: number, end: number): number {
  const value = Number(cursor.bytes.toString('latin1', start, end));
  if (!Number.isFinite(value)) throw cursor.fault('Number too big to be stored in double.', start);
  return value;
}

const names: readonly (readonly [name: string, value: number])[] = [
  ['NaN', Number.NaN],
  ['Infinity', Number.POSITIVE_INFINITY],
  ['Inf', Number.POSITIVE_INFINITY],
];

function readNamed(cursor: JsonCursor, at: number, negative: boolean): number {
  const { bytes } = cursor;
  if (bytes[at] === upperN || bytes[at] === upperI) {
    const text = bytes.toString('latin1', at, at + 8);
    for (const [name, value] of names) {
      if (!text.startsWith(name)) continue;
      cursor.at = at + name.length;
      return negative ? -value : value;
    }
  }
  throw cursor.fault('Invalid value.', Math.min(at, bytes.length));
}
