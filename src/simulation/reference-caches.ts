/** What caches of the whole fleet's memory would have made of the same requests: the bars to stand between. */

/** Hits of a cache that gives up what was used longest ago, and loads in no time. */
export function lruHits<Model>(
  requests: ArrayLike<Model>,
  bytesOf: (model: Model) => number,
  limitBytes: number,
): number {
  const cache = new Set<Model>();
  let usedBytes = 0;
  let hits = 0;
  for (let at = 0; at < requests.length; at++) {
    const model = requests[at]!;
    if (cache.delete(model)) hits += 1;
    else usedBytes += bytesOf(model);
    cache.add(model);
    for (const oldest of cache) {
      if (usedBytes <= limitBytes) break;
      cache.delete(oldest);
      usedBytes -= bytesOf(oldest);
    }
  }
  return hits;
}

/** Hits of the best set that never changes, there from the start: it knows the requests beforehand. */
export function bestFixedHits<Model>(
  requests: ArrayLike<Model>,
  bytesOf: (model: Model) => number,
  limitBytes: number,
): number {
  const counts = new Map<Model, number>();
  for (let at = 0; at < requests.length; at++) counts.set(requests[at]!, (counts.get(requests[at]!) ?? 0) + 1);
  const byWorth = [...counts].sort(([a, m], [b, n]) => n / bytesOf(b) - m / bytesOf(a));
  let usedBytes = 0;
  let hits = 0;
  for (const [model, count] of byWorth) {
    if (usedBytes + bytesOf(model) > limitBytes) continue;
    usedBytes += bytesOf(model);
    hits += count;
  }
  return hits;
}
