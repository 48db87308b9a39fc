const largestExactPower = 22;
const exactPowers = Array.from({ length: largestExactPower + 1 }, (_, exponent) => 10 ** exponent);

/** Three steps of 22: the smallest exponent that is still worth the steps. */
const mostPowers = 3 * largestExactPower;

/** Splits a double into two halves of 26 bits (Veltkamp 1968). */
const splitter = 2 ** 27 + 1;

/** Relative error allowed for; what accumulates in the steps below is under 2 ** -101. */
const errorBound = 2 ** -98;

/**
 * (high * power + low) / 10 ** powers, correctly rounded to a double, or NaN when this method cannot tell.
 *
 * The significand and each quotient are kept as the unevaluated sum of two doubles, about 106 bits (Dekker 1971). The sum
 * is rounded once, and the answer stands only if both ends of its error interval round to it; an exact tie never does.
 */
export function scaleDown(high: number, power: number, low: number, powers: number): number {
  if (powers < 0 || powers > mostPowers) return Number.NaN;
  const product = high * power;
  const sum = product + low;
  let rest = productError(high, power, product) + (low - (sum - product));
  let value = sum + rest;
  rest -= value - sum;
  for (let left = powers; left > 0; left -= largestExactPower) {
    const divisor = exactPowers[Math.min(left, largestExactPower)]!;
    const quotient = value / divisor;
    const back = quotient * divisor;
    const correction = (value - back - productError(quotient, divisor, back) + rest) / divisor;
    value = quotient + correction;
    rest = correction - (value - quotient);
  }
  const bound = value * errorBound;
  return value + (rest + bound) === value && value + (rest - bound) === value ? value : Number.NaN;
}

/** a * b - product, exactly, where product is a * b rounded. */
function productError(a: number, b: number, product: number): number {
  const aWide = a * splitter;
  const aHigh = aWide - (aWide - a);
  const aLow = a - aHigh;
  const bWide = b * splitter;
  const bHigh = bWide - (bWide - b);
  const bLow = b - bHigh;
  return aHigh * bHigh - product + aHigh * bLow + aLow * bHigh + aLow * bLow;
}
