/**
 * What loading a copy again is taken to cost, given what its own load took and what is usual for its size.
 *
 * One load's time says little: a busy core or disk makes it twice as long, and if that were believed the copy would stay
 * in memory for it. So only what lies beyond a factor of two is believed. On the trace of the hit-rate test the way from
 * LRU to the best fixed set falls from 0.72 to 0.60 where load times spread by e^0.8 and are believed as they are.
 *
 * Milliseconds, at least 1.
 */
export function reloadCostMs(tookMs: number, usualMs: number): number {
  if (tookMs > usualMs * chance) return Math.max(1, tookMs / chance);
  if (tookMs < usualMs / chance) return Math.max(1, tookMs * chance);
  return Math.max(1, usualMs);
}

const chance = 2;
