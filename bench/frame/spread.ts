/** What several rounds measured. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const ascending = values.toSorted((a, b) => a - b);
  if (ascending.length === 0) throw new Error('there is no spread of nothing');
  const middle = (ascending.length - 1) / 2;
  const median = (ascending[Math.floor(middle)]! + ascending[Math.ceil(middle)]!) / 2;
  return { median, min: ascending[0]!, max: ascending.at(-1)! };
}

/**
 * Of two contenders that took turns, figure by figure of the same round: what slows the machine down for a while slows both,
 * and falls out.
 */
export function spreadOfPairs(
  ours: readonly number[],
  theirs: readonly number[],
  combine: (our: number, their: number) => number,
): Spread {
  return spreadOf(ours.map((our, round) => combine(our, theirs[round]!)));
}

export function ratioOf(ours: readonly number[], theirs: readonly number[]): Spread {
  return spreadOfPairs(ours, theirs, (our, their) => our / their);
}
