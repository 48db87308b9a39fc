interface DemandOptions {
  /** Models remembered, loaded or not: the least asked for are forgotten first. */
  readonly maxEntries: number;
}

/** Requests per place after which a request counts half: see `setPlaces`. */
const halfLifePerPlace = 32;
const minHalfLifeRequests = 256;
const totalHalfLifeMs = 30_000;

interface Count {
  /** Requests, each halved once per half-life since it came, as of `atAge`. */
  value: number;
  atAge: number;
}

/**
 * How much each model is asked for: exponentially decayed counts that outlive the copies, so that a model which comes
 * back is known for what it is.
 *
 * Counts decay by requests, not by time: what matters is how many a count rests on, and that is right at one request a
 * second and at ten thousand alike; an idle night forgets nothing. Time enters only the rate of all requests together,
 * by which counts become requests per second that can be compared between backends.
 */
export class DemandTable {
  readonly #options: DemandOptions;
  readonly #counts = new Map<string, Count>();
  #halfLifeRequests = minHalfLifeRequests;
  /** In half-lives. */
  #age = 0;
  #total = 0;
  #rate = 0;
  #rateAtMs = -Infinity;

  constructor(options: DemandOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#counts.size;
  }

  /**
   * How many copies there is room for, about. The last of them is told from the first that has no place by its count
   * alone, so a count must rest on many requests; the more, the longer a new favourite takes to be known. Measured on
   * Zipf(1.0), 900 models for 300 places, as the way gone from LRU to the best fixed set: 0.66, 0.73 and 0.76 for 16, 32
   * and 64 requests a place; each doubling takes twice as long to follow a change.
   */
  setPlaces(places: number): void {
    this.#halfLifeRequests = Math.max(minHalfLifeRequests, halfLifePerPlace * places);
  }

  /** Counts one request, whether it finds a copy or waits for one. */
  record(key: string, nowMs: number): void {
    const step = 1 / this.#halfLifeRequests;
    this.#age += step;
    this.#total = this.#total * 2 ** -step + 1;
    this.#rate = this.#rateAt(nowMs) + Math.LN2 / (totalHalfLifeMs / 1000);
    this.#rateAtMs = Math.max(this.#rateAtMs, nowMs);
    const count = this.#counts.get(key);
    if (count !== undefined) {
      count.value = this.#valueOf(count) + 1;
      count.atAge = this.#age;
      return;
    }
    if (this.#counts.size >= this.#options.maxEntries) this.#forgetLeast();
    this.#counts.set(key, { value: 1, atAge: this.#age });
  }

  ratePerSecond(key: string, nowMs: number): number {
    const count = this.#counts.get(key);
    return count === undefined ? 0 : (this.#valueOf(count) / this.#total) * this.#rateAt(nowMs);
  }

  /** For a model that is gone from the catalogue. */
  forget(key: string): void {
    this.#counts.delete(key);
  }

  #valueOf(count: Count): number {
    return count.value * 2 ** (count.atAge - this.#age);
  }

  /** Requests per second of all models together. */
  #rateAt(nowMs: number): number {
    return this.#rate * 2 ** -(Math.max(0, nowMs - this.#rateAtMs) / totalHalfLifeMs);
  }

  /** An eighth at a time: a sort of all, paid for by as many new entries. */
  #forgetLeast(): void {
    const values = Float64Array.from(this.#counts.values(), (count) => this.#valueOf(count)).sort();
    const most = values[values.length >> 3]!;
    let toForget = (values.length >> 3) + 1;
    for (const [key, count] of this.#counts) {
      if (toForget > 0 && this.#valueOf(count) <= most) {
        this.#counts.delete(key);
        toForget -= 1;
      }
    }
  }
}
