/** How a copy runs its batches, and what it rests that on: what `skein explain` shows. */
export interface RunsReport {
  /** By what runs are started now, for each number of rows that was seen waiting or running. */
  readonly choices: readonly RunChoice[];
  /** What was measured, as of a quiet moment. */
  readonly learned: readonly LearnedRun[];
  /** How many times longer runs take at the moment than when they were learned. */
  readonly drift: number;
  /** Threads of the sessions that are loaded, the first one first. */
  readonly sessions: readonly number[];
  /** Runs so short that no thread is woken for them. Absent where there are none; members of older versions do not tell. */
  readonly onEventLoop?: ShortRuns;
}

interface ShortRuns {
  /** The most that such a run has. */
  readonly rows: number;
  /** Of the longest one, learned. */
  readonly ms: number;
}

/** So many runs at once, of so many threads each, that join up to `rows` rows. */
export interface RunShape {
  readonly threads: number;
  readonly slots: number;
  readonly rows: number;
}

interface RunChoice extends RunShape {
  /** Holds for up to so many rows waiting or running, down to half as many. */
  readonly upToWaiting: number;
  /** Absent before it was measured. */
  readonly rowsPerSecond?: number;
  readonly why: string;
}

interface LearnedRun extends RunShape {
  /** Of one run, with all slots running. */
  readonly ms: number;
  readonly rowsPerSecond: number;
  /** Runs that it rests on. */
  readonly runs: number;
}
