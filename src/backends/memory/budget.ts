/** What one copy takes, or is about to take. */
export interface CopyMemory {
  readonly residentBytes: number;
  /** Upper estimate of what one run takes on top, at the largest batch it may run. */
  readonly runPeakBytes: number;
  /** Runs of this copy at once. */
  readonly parallelRuns: number;
}

export interface MemoryBudget {
  readonly limitBytes: number;
  /** Runs of the whole process at once: so many of the largest peaks are kept free. */
  readonly concurrentRuns: number;
}

/** Resident bytes of all copies and the largest run peaks that can come together. */
export declare function requiredBytes(copies: Iterable<CopyMemory>, concurrentRuns: number): number;
export declare function needToFree(copies: readonly CopyMemory[], incoming: CopyMemory, budget: MemoryBudget): number;
