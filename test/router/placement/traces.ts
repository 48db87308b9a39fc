/** Deterministic: the same seed gives the same numbers from 0 up to 1 (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export interface TraceShape {
  readonly models: number;
  readonly requests: number;
  readonly seed: number;
  /** From half-way on, the ranks are turned by half: what was hot is asked for rarely. */
  readonly shifts?: boolean;
}

/** Model names, asked for by Zipf(1.0); which names are popular is drawn, so that no hash happens to suit them. */
export function zipfTrace({ models, requests, seed, shifts = false }: TraceShape): string[] {
  const random = seededRandom(seed);
  const names = Array.from({ length: models }, (_, at) => `model-${at}`);
  for (let at = models - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [names[at], names[other]] = [names[other]!, names[at]!];
  }
  const sums: number[] = [];
  for (let rank = 1; rank <= models; rank++) sums.push((sums.at(-1) ?? 0) + 1 / rank);
  return Array.from({ length: requests }, (_, at) => {
    const drawn = random() * sums.at(-1)!;
    let rank = 0;
    for (let width = models; width > 1; ) {
      const half = width >> 1;
      if (sums[rank + half - 1]! <= drawn) {
        rank += half;
        width -= half;
      } else width = half;
    }
    return names[shifts && at >= requests / 2 ? (rank + (models >> 1)) % models : rank]!;
  });
}

/** Hits of a cache of so many places for the whole fleet, which knows no loading time: the bar to beat. */
export function lruHits(trace: readonly string[], places: number): number {
  const cache = new Set<string>();
  let hits = 0;
  for (const model of trace) {
    if (cache.delete(model)) hits += 1;
    cache.add(model);
    if (cache.size > places)
      for (const oldest of cache) {
        cache.delete(oldest);
        break;
      }
  }
  return hits;
}

/** Hits of the best set that never changes, loaded from the start: it knows the trace beforehand. */
export function bestFixedHits(trace: readonly string[], places: number): number {
  const counts = new Map<string, number>();
  for (const model of trace) counts.set(model, (counts.get(model) ?? 0) + 1);
  return [...counts.values()]
    .sort((a, b) => b - a)
    .slice(0, places)
    .reduce((sum, count) => sum + count, 0);
}
