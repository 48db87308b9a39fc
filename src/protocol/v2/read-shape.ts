import { SkeinError } from '../errors.ts';
import { missingMember, wrongKind } from '../json/data-faults.ts';
import type { JsonValue } from '../json/json-value.ts';
import { excerpt } from './excerpt.ts';

/** The largest element count that a request may name: Triton counts in int64. */
const mostElements = 2n ** 63n - 1n;

/**
 * The `shape` of an input as numbers: every dimension is an exact integer >= 0, their product at most an int64, even were
 * a dimension of 0 a 1: so no product of some of them is infinite, nor NaN when 0 comes after.
 */
export function readShape(value: JsonValue | undefined, input: string): number[] {
  if (value === undefined) throw missingMember('shape');
  if (!Array.isArray(value)) throw wrongKind("'shape'", 'array');
  let count = 1;
  let exact = true;
  for (const dimension of value) {
    if (typeof dimension !== 'number' && typeof dimension !== 'bigint') throw wrongKind("'shape'", 'unsigned');
    if (dimension < 0) throw wrongKind("'shape'", 'unsigned');
    if (typeof dimension === 'bigint') exact = false;
    count *= Math.max(1, Number(dimension));
  }
  if (!exact || count > Number.MAX_SAFE_INTEGER) checkLargeShape(value as (number | bigint)[], input);
  return value as number[];
}

/** Far beyond what a body can hold; told apart only so that the client reads what is wrong. */
function checkLargeShape(dimensions: readonly (number | bigint)[], input: string): void {
  let count = 1n;
  for (const dimension of dimensions) {
    count *= BigInt(dimension || 1);
    // never let the product grow further: a thousand dimensions of 2 ** 63 would be slow to multiply
    if (count > mostElements) throw new SkeinError('shape_too_large', { input, shape: shapeText(dimensions) });
  }
  if (dimensions.some((dimension) => typeof dimension === 'bigint')) {
    throw new SkeinError('shape_invalid', { input, shape: shapeText(dimensions) });
  }
}

/** [1,16], as Triton writes a shape. */
export function shapeText(dimensions: readonly (number | bigint)[]): string {
  return excerpt(`[${dimensions.join(',')}]`);
}
