/** Upper bounds in seconds: from a small model's answer to a cold load of a large one. */
export const durationBounds: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30,
];

/** Durations counted by size. Plain numbers: an observation is a short search and three additions. */
export class DurationHistogram {
  /** By bound, not yet cumulative; the last is beyond all bounds. */
  readonly counts = new Array<number>(durationBounds.length + 1).fill(0);
  sum = 0;
  count = 0;

  observe(seconds: number): void {
    let i = 0;
    while (i < durationBounds.length && seconds > durationBounds[i]!) i++;
    this.counts[i]!++;
    this.sum += seconds;
    this.count++;
  }
}
