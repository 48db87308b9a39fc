import type { Random } from './random.ts';

/** Milliseconds between one arrival and the next. */
type Arrivals = () => number;

export const arrivalKinds = ['poisson', 'constant'] as const;
export type ArrivalKind = (typeof arrivalKinds)[number];

/** `poisson`: clients that know nothing of each other, as those of a public server. `constant`: one every 1/rate. */
export function arrivalsOf(kind: ArrivalKind, perSecond: number, random: Random): Arrivals {
  const meanMs = 1_000 / perSecond;
  // 1 - u lies in (0, 1]: its logarithm is finite.
  return kind === 'constant' ? () => meanMs : () => -Math.log(1 - random()) * meanMs;
}
