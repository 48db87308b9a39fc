/** Steps of 2 %: what is read from it is so exact. */
const perStep = Math.log(1.02);
const leastMs = 0.01;

/** Times as counts by their logarithm: as many as there are, in as little memory. */
export class LatencyHistogram {
  readonly #counts: number[] = [];
  #count = 0;
  #maxMs = 0;

  get count(): number {
    return this.#count;
  }

  get maxMs(): number {
    return this.#maxMs;
  }

  add(ms: number): void {
    const step = ms <= leastMs ? 0 : Math.ceil(Math.log(ms / leastMs) / perStep);
    this.#counts[step] = (this.#counts[step] ?? 0) + 1;
    this.#count += 1;
    if (ms > this.#maxMs) this.#maxMs = ms;
  }

  /** The least time that so large a share did not exceed, at most 2 % too high; 0 of none. */
  quantileMs(share: number): number {
    let left = Math.ceil(share * this.#count);
    if (left === 0) return 0;
    for (let step = 0; step < this.#counts.length; step++) {
      left -= this.#counts[step] ?? 0;
      if (left <= 0) return Math.min(this.#maxMs, leastMs * Math.exp(step * perStep));
    }
    return this.#maxMs;
  }
}
