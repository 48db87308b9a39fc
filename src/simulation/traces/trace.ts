/** One request of a trace: for which model, and when; times never fall. */
export interface Arrival {
  readonly atMs: number;
  readonly model: number;
}

/** What is asked for, and when. Read from the beginning each time. */
export interface Trace {
  /** Names of the models; arrivals give their positions. */
  readonly models: readonly string[];
  arrivals(): Iterable<Arrival>;
}
