/** Means over a window of the last so many milliseconds. */
export interface WindowMeans {
  /** Of what was in flight or held. */
  readonly load: number;
  readonly perSecond: number;
  /** How much of the window there is a record of. */
  readonly spanMs: number;
}

/**
 * Load over a sliding window, in buckets. A tick says how much there was and for how long, so that a late tick counts for
 * the time it covers. Means are over what there is a record of, but over `leastMs` at least: a single look at a model that
 * was never seen before says little.
 */
export class LoadWindow {
  readonly #bucketMs: number;
  readonly #leastMs: number;
  /** By number of the bucket, modulo their count. */
  readonly #load: Float64Array;
  readonly #arrivals: Float64Array;
  readonly #spanMs: Float64Array;
  /** Number of the newest bucket. */
  #newest = -1;

  constructor(windowMs: number, buckets: number, leastMs: number) {
    this.#leastMs = leastMs;
    this.#bucketMs = windowMs / buckets;
    this.#load = new Float64Array(buckets);
    this.#arrivals = new Float64Array(buckets);
    this.#spanMs = new Float64Array(buckets);
  }

  /** `load` for the last `spanMs`, in which `arrivals` requests came. */
  record(load: number, arrivals: number, spanMs: number, nowMs: number): void {
    this.#advance(nowMs);
    const at = this.#newest % this.#load.length;
    this.#load[at]! += load * spanMs;
    this.#arrivals[at]! += arrivals;
    this.#spanMs[at]! += spanMs;
  }

  means(nowMs: number): WindowMeans {
    this.#advance(nowMs);
    const spanMs = sum(this.#spanMs);
    const overMs = Math.max(spanMs, this.#leastMs);
    return { load: sum(this.#load) / overMs, perSecond: (1000 * sum(this.#arrivals)) / overMs, spanMs };
  }

  /** Empties the buckets that time has passed over. */
  #advance(nowMs: number): void {
    const buckets = this.#load.length;
    const now = Math.floor(nowMs / this.#bucketMs);
    const passed = Math.min(buckets, now - this.#newest);
    for (let step = 0; step < passed; step++) {
      const at = (now - step) % buckets;
      this.#load[at] = 0;
      this.#arrivals[at] = 0;
      this.#spanMs[at] = 0;
    }
    this.#newest = Math.max(this.#newest, now);
  }
}

function sum(values: Float64Array): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
