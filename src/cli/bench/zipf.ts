import type { Random } from './random.ts';

/** Picks one of `count` things, the first one most often. */
export type Picker = () => number;

/**
 * The k-th of `count` is picked in proportion to 1 / k^exponent: 0 is uniform, about 1 is what requests for web pages,
 * words and models look like.
 */
export function zipfPicker(count: number, exponent: number, random: Random): Picker {
  if (count === 1) return () => 0;
  const upTo = new Float64Array(count);
  let sum = 0;
  for (let k = 0; k < count; k++) {
    sum += 1 / (k + 1) ** exponent;
    upTo[k] = sum;
  }
  return () => firstAbove(upTo, random() * sum);
}

/** Index of the first value that is larger; they ascend. */
function firstAbove(values: Float64Array, wanted: number): number {
  let low = 0;
  let high = values.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! > wanted) high = middle;
    else low = middle + 1;
  }
  return low;
}
