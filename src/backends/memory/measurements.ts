/** What was learned of a model by loading and running it: true for the same files on the same engine and device. */
interface Measurement {
  readonly residentBytes: number;
  readonly loadMs: number;
  /** Largest seen of one run. */
  readonly runPeakBytes: number;
}

/** The digest names the files, so that a changed model is measured anew. */
export interface MeasurementKey {
  readonly digest: string;
  readonly engine: string;
  readonly device: string;
}

/** Measurements by key, bounded: those not asked for or renewed for the longest time are forgotten first. */
export class Measurements {
  readonly #maxEntries: number;
  readonly #entries = new Map<string, Measurement>();

  constructor(maxEntries: number) {
    this.#maxEntries = maxEntries;
  }

  find(key: MeasurementKey): Measurement | undefined {
    const name = nameOf(key);
    const found = this.#entries.get(name);
    if (found !== undefined) this.#put(name, found);
    return found;
  }

  /**
   * Joins a new measurement to the old: peaks only rise, sizes follow the largest of the two slowly down (a load beside
   * others may be measured too high once), times are smoothed.
   */
  learn(key: MeasurementKey, seen: Measurement): Measurement {
    const name = nameOf(key);
    const before = this.#entries.get(name);
    const joined = before === undefined ? seen : join(before, seen);
    this.#put(name, joined);
    return joined;
  }

  #put(name: string, entry: Measurement): void {
    this.#entries.delete(name);
    this.#entries.set(name, entry);
    if (this.#entries.size <= this.#maxEntries) return;
    for (const oldest of this.#entries.keys()) {
      this.#entries.delete(oldest);
      break;
    }
  }
}

function join(before: Measurement, seen: Measurement): Measurement {
  return {
    residentBytes: Math.max(seen.residentBytes, halfway(before.residentBytes, seen.residentBytes)),
    loadMs: halfway(before.loadMs, seen.loadMs),
    runPeakBytes: Math.max(before.runPeakBytes, seen.runPeakBytes),
  };
}

function halfway(before: number, seen: number): number {
  return (before + seen) / 2;
}

function nameOf({ digest, engine, device }: MeasurementKey): string {
  return `${digest}\n${engine}\n${device}`;
}
