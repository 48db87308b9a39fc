/** An exponentially decayed count of events, as a rate. Two numbers a model: cheap enough for every model in use. */
export class RequestRate {
  #count = 0;
  #atMs = 0;

  record(nowMs: number): void {
    this.#count = this.#decayed(nowMs) + 1;
    this.#atMs = nowMs;
  }

  perSecond(nowMs: number): number {
    return (this.#decayed(nowMs) * 1000) / windowMs;
  }

  #decayed(nowMs: number): number {
    return this.#count === 0 ? 0 : this.#count * Math.exp((this.#atMs - nowMs) / windowMs);
  }
}

/** Requests older than this count for little: popularity that placement should follow moves in minutes. */
const windowMs = 60_000;
