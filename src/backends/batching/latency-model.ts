/**
 * How long a run of n rows takes: a + b * n, fitted to the runs seen, the recent ones weighing more. Nexus and Clockwork
 * found the line good enough to plan by.
 */
export class LatencyModel {
  /** Of the newest run against the sum of all before, once many were seen: a memory of about 50 runs. */
  static readonly newestWeight = 0.02;
  #runs = 0;
  #meanRows = 0;
  #meanMs = 0;
  #varianceRows = 0;
  #covariance = 0;

  learn(rows: number, ms: number): void {
    this.#runs += 1;
    const weight = Math.max(1 / this.#runs, LatencyModel.newestWeight);
    const rowsOff = rows - this.#meanRows;
    const msOff = ms - this.#meanMs;
    this.#meanRows += weight * rowsOff;
    this.#meanMs += weight * msOff;
    this.#varianceRows = (1 - weight) * (this.#varianceRows + weight * rowsOff * rowsOff);
    this.#covariance = (1 - weight) * (this.#covariance + weight * rowsOff * msOff);
  }

  /** 0 before the first run. Neither part is below 0: more rows never take less time, and none take some. */
  runMs(rows: number): number {
    if (this.#varianceRows === 0) return this.#meanMs;
    const slope = this.#covariance / this.#varianceRows;
    const perRowMs = Math.min(Math.max(slope, 0), this.#meanMs / this.#meanRows);
    return this.#meanMs + perRowMs * (rows - this.#meanRows);
  }
}
