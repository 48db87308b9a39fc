import { SkeinError } from '../errors.ts';
import { type Datatype, elementBytes } from '../tensors/datatype.ts';
import { wrongElement } from './data-faults.ts';
import type { DataWalker } from './data-walker.ts';
import { dot, lowerE, minus, upperE, zero } from './json-characters.ts';

type ShortInteger = 'UINT8' | 'UINT16' | 'UINT32' | 'INT8' | 'INT16' | 'INT32';
type LongInteger = 'INT64' | 'UINT64';

/** Integers of up to 15 digits are exact in a double; longer ones go through bigint. */
const exactDigits = 15;

/** A longer integer is out of every range, and turning it into a bigint would cost more than linear time. */
const mostCharacters = 20;

/** The elements as integers of 8, 16 or 32 bits; what does not fit is refused, where Triton wraps it silently. */
export function readShortIntegers(walker: DataWalker, count: number, datatype: ShortInteger): Uint8Array {
  const size = elementBytes[datatype];
  const view = new DataView(new ArrayBuffer(count * size));
  const signed = datatype.startsWith('I');
  const min = signed ? -(2 ** (8 * size - 1)) : 0;
  const max = min + 2 ** (8 * size) - 1;
  for (let at = 0; walker.next(); at += size) {
    const start = walker.at;
    const value = readInteger(walker, signed);
    // written so that NaN, an integer too long for any range, is refused as well
    if (!(value >= min && value <= max)) throw outOfRange(walker, start, datatype);
    if (size === 4) view.setInt32(at, value, true);
    else if (size === 2) view.setInt16(at, value, true);
    else view.setInt8(at, value);
  }
  return new Uint8Array(view.buffer);
}

/** The elements as integers of 64 bits, exact over the whole range. */
export function readLongIntegers(walker: DataWalker, count: number, datatype: LongInteger): Uint8Array {
  const view = new DataView(new ArrayBuffer(count * 8));
  const signed = datatype === 'INT64';
  for (let at = 0; walker.next(); at += 8) {
    const start = walker.at;
    const value = readInteger(walker, signed);
    if (Number.isNaN(value)) view.setBigInt64(at, readBigInteger(walker, start, datatype), true);
    else {
      view.setInt32(at, value, true);
      view.setInt32(at + 4, Math.floor(value / 2 ** 32), true);
    }
  }
  return new Uint8Array(view.buffer);
}

/** The integer at the walker, or NaN when it has too many digits to be exact; the walker stands behind it either way. */
function readInteger(walker: DataWalker, signed: boolean): number {
  const bytes = walker.bytes;
  const negative = bytes[walker.at] === minus;
  const first = negative ? walker.at + 1 : walker.at;
  let at = first;
  let value = 0;
  let digit = bytes[at]! - zero;
  if (digit === 0) digit = bytes[++at]! - zero;
  else for (; digit >= 0 && digit <= 9; digit = bytes[++at]! - zero) value = value * 10 + digit;
  if (at === first) throw wrongElement(walker, signed ? 'signed' : 'unsigned');
  const real = digit === dot - zero || digit === lowerE - zero || digit === upperE - zero;
  if (real || (negative && !signed)) throw wrongElement(walker, signed ? 'signed' : 'unsigned');
  walker.at = at;
  if (at - first > exactDigits) return Number.NaN;
  return negative ? -value : value;
}

function readBigInteger(walker: DataWalker, start: number, datatype: LongInteger): bigint {
  const fits = walker.at - start <= mostCharacters;
  const value = fits ? BigInt(walker.bytes.toString('latin1', start, walker.at)) : 2n ** 64n;
  const held = datatype === 'INT64' ? BigInt.asIntN(64, value) : BigInt.asUintN(64, value);
  if (held !== value) throw outOfRange(walker, start, datatype);
  return value;
}

const longestQuoted = 40;

function outOfRange(walker: DataWalker, start: number, datatype: Datatype): SkeinError {
  const value = walker.bytes.toString('latin1', start, Math.min(walker.at, start + longestQuoted));
  return new SkeinError('integer_out_of_range', { value, datatype, range: rangeText(datatype) });
}

function rangeText(datatype: Datatype): string {
  const bits = BigInt(8 * elementBytes[datatype]);
  return datatype.startsWith('U') ? `0 to ${2n ** bits - 1n}` : `${-(2n ** (bits - 1n))} to ${2n ** (bits - 1n) - 1n}`;
}
