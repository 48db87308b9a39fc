/** How many cores were wanted on average, between one question and the next. Times are on performance.now(). */
export class CoreDemand {
  #cores = 0;
  #sinceMs: number;
  #coreMs = 0;
  #askedMs: number;

  constructor(nowMs: number) {
    this.#sinceMs = nowMs;
    this.#askedMs = nowMs;
  }

  /** So many are wanted from now on. */
  note(cores: number, nowMs: number): void {
    this.#coreMs += this.#cores * (nowMs - this.#sinceMs);
    this.#sinceMs = nowMs;
    this.#cores = cores;
  }

  /** The mean since this was asked last; what is wanted now where no time has passed. */
  take(nowMs: number): number {
    this.note(this.#cores, nowMs);
    const ms = nowMs - this.#askedMs;
    const mean = ms > 0 ? this.#coreMs / ms : this.#cores;
    this.#coreMs = 0;
    this.#askedMs = nowMs;
    return mean;
  }
}
