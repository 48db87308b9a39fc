/** Of the time of all cores, this share may go into calibration. */
const share = 0.01;

/** Time that was not used is kept up to so much. */
const mostSavedMs = 2_000;

/** A model gets a calibration once its requests have taken this many times as long as it will. */
const worthTimes = 4;

/**
 * How much calibration a process may do: a small share of its cores, however many models there are, and for each model
 * only a part of what it was used for. A fleet of thousands of models that are asked for now and then calibrates none.
 */
export class CalibrationBudget {
  readonly #cores: number;
  #savedMs = 0;
  #lastMs: number;

  constructor(cores: number, nowMs: number) {
    this.#cores = cores;
    this.#lastMs = nowMs;
  }

  /** Whether a model whose runs took `usedMs` until now, and its calibration `spentMs`, may have `ms` more of all cores. */
  allows(ms: number, usedMs: number, spentMs: number, nowMs: number): boolean {
    this.#savedMs = this.#savedAt(nowMs);
    this.#lastMs = nowMs;
    return ms * this.#cores <= this.#savedMs && worthTimes * (spentMs + ms) <= usedMs;
  }

  /** What a calibration took, of all cores. */
  spend(ms: number): void {
    this.#savedMs -= ms * this.#cores;
  }

  #savedAt(nowMs: number): number {
    return Math.min(mostSavedMs, this.#savedMs + share * this.#cores * Math.max(0, nowMs - this.#lastMs));
  }
}
