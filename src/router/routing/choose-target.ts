import type { RouteTarget } from '../../fleet/catalogue-entry.ts';

/** The target that `draw`, uniform in [0, 1), falls to: each has its share of the sum of the weights. */
export function chooseTarget(targets: readonly RouteTarget[], draw: number): RouteTarget {
  const total = targets.reduce((sum, { weight }) => sum + weight, 0);
  let left = draw * total;
  for (const target of targets) {
    left -= target.weight;
    if (left < 0) return target;
  }
  return targets.at(-1)!; // weights of zero alone, or a rounding
}
