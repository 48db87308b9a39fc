export interface RetryBudgetOptions {
  /** Retries allowed per request seen: 0.2 means that retries add at most a fifth to the load. */
  readonly ratio: number;
  /** Retries allowed per second however few requests come, so that a quiet router can still retry. */
  readonly floorPerSecond: number;
  /** Retries that may be saved up. */
  readonly burst: number;
}

export declare class RetryBudget {
  constructor(options: RetryBudgetOptions, nowMs: number);
  /** Counts one first attempt. */
  earn(): void;
  /** True where a retry may be sent; it is then paid for. */
  spend(nowMs: number): boolean;
}
