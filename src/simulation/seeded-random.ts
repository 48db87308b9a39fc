/** Numbers from 0 up to 1, the same for the same seed on every machine. */
export type Random = () => number;

/** Mulberry32: 32 bits of state are plenty for a simulation, and one multiplication is fast. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Mean 0, deviation 1 (Box and Muller). */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Time to the next of events that come by chance, `perMs` of them in a millisecond. */
export function exponential(random: Random, perMs: number): number {
  return -Math.log(1 - random()) / perMs;
}

/** In place (Fisher and Yates). */
export function shuffle<T>(values: T[], random: Random): T[] {
  for (let at = values.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1));
    [values[at], values[other]] = [values[other]!, values[at]!];
  }
  return values;
}

/** Draws positions in proportion to weights, by the alias method: two numbers a draw, however many weights. */
export class WeightedDraw {
  readonly #share: Float64Array;
  readonly #alias: Int32Array;

  constructor(weights: ArrayLike<number>) {
    const count = weights.length;
    let total = 0;
    for (let at = 0; at < count; at++) total += weights[at]!;
    this.#share = new Float64Array(count);
    this.#alias = new Int32Array(count);
    const small: number[] = [];
    const large: number[] = [];
    for (let at = 0; at < count; at++) {
      this.#share[at] = (weights[at]! * count) / total;
      this.#alias[at] = at;
      (this.#share[at]! < 1 ? small : large).push(at);
    }
    while (small.length > 0 && large.length > 0) {
      const least = small.pop()!;
      const most = large.at(-1)!;
      this.#alias[least] = most;
      this.#share[most]! -= 1 - this.#share[least]!;
      if (this.#share[most]! < 1) small.push(large.pop()!);
    }
    for (const rest of [...small, ...large]) this.#share[rest] = 1;
  }

  draw(random: Random): number {
    const at = Math.floor(random() * this.#share.length);
    return random() < this.#share[at]! ? at : this.#alias[at]!;
  }
}
