import { seededRandom } from '../seeded-random.ts';
import type { Arrival, Trace } from './trace.ts';

/** How often one model is asked for in each minute. */
export type MinuteCounts = ArrayLike<number>;

/** Counts by the minute as single requests, spread evenly over their minute at random. */
export function minuteTrace(models: readonly string[], rows: readonly MinuteCounts[], seed: number): Trace {
  const minutes = rows.reduce((most, row) => Math.max(most, row.length), 0);
  return {
    models,
    *arrivals(): Generator<Arrival> {
      const random = seededRandom(seed ^ 0x2545f491);
      for (let minute = 0; minute < minutes; minute++) {
        const arrivals: Arrival[] = [];
        rows.forEach((row, model) => {
          const count = row[minute] ?? 0;
          for (let nth = 0; nth < count; nth++) arrivals.push({ atMs: 60_000 * (minute + random()), model });
        });
        yield* arrivals.sort((a, b) => a.atMs - b.atMs);
      }
    },
  };
}
