/**
 * Running totals that never fall. A copy's totals begin anew when it is loaded again, and a model's sum over its copies
 * falls when one is evicted; a counter that falls means a restart to Prometheus, which then adds the whole rest once more.
 * So what was lost is kept on top. Counts made between an eviction and the next look at the totals may be lost; none is
 * ever counted twice.
 */
export class MonotonicTotals {
  #seen: readonly number[] = [];
  #lost: number[] = [];

  /** What may be shown after these totals were seen. */
  update(totals: readonly number[]): void {
    totals.forEach((total, i) => {
      const before = this.#seen[i] ?? 0;
      this.#lost[i] = (this.#lost[i] ?? 0) + Math.max(0, before - total);
    });
    this.#seen = totals;
  }

  get values(): number[] {
    return this.#seen.map((total, i) => total + this.#lost[i]!);
  }
}
