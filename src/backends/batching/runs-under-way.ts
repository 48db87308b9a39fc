/** One run of a copy, from its start until its slot is free again. */
export interface RunUnderWay {
  readonly threads: number;
  readonly rows: number;
  readonly startedMs: number;
  /** Runs of the copy under way when it began, itself included; 0 where one of them had other threads. */
  readonly beside: number;
}

/** The runs of one copy that are under way: how many, of how many rows, and beside how many equals each of them ran. */
export class RunsUnderWay {
  readonly #runs = new Set<RunUnderWay>();
  #rows = 0;

  get count(): number {
    return this.#runs.size;
  }

  get rows(): number {
    return this.#rows;
  }

  begin(threads: number, rows: number, nowMs: number): RunUnderWay {
    const run = { threads, rows, startedMs: nowMs, beside: this.#isAlike(threads) ? this.#runs.size + 1 : 0 };
    this.#runs.add(run);
    this.#rows += rows;
    return run;
  }

  /** Beside how many equals it ran, itself included; 0 where that changed while it ran. */
  end(run: RunUnderWay): number {
    const isSteady = this.#runs.size === run.beside && this.#isAlike(run.threads);
    if (this.#runs.delete(run)) this.#rows -= run.rows;
    return isSteady ? run.beside : 0;
  }

  #isAlike(threads: number): boolean {
    for (const run of this.#runs) if (run.threads !== threads) return false;
    return true;
  }
}
