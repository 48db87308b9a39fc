interface RetryBudgetOptions {
  /** Retries allowed per request seen: 0.2 means that retries add at most a fifth to the load. */
  readonly ratio: number;
  /** Retries allowed per second however few requests come, so that a quiet router can still retry. */
  readonly floorPerSecond: number;
  /** Retries that may be saved up; a router that starts has them. */
  readonly burst: number;
}

/**
 * Bounds what retries add to the load, so that they never turn a slow fleet into a dead one. A token bucket: requests and
 * time fill it, a retry takes one.
 */
export class RetryBudget {
  readonly #options: RetryBudgetOptions;
  #tokens: number;
  #filledAtMs: number;

  constructor(options: RetryBudgetOptions, nowMs: number) {
    this.#options = options;
    this.#tokens = options.burst;
    this.#filledAtMs = nowMs;
  }

  /** Counts one request's first attempt. */
  earn(): void {
    this.#fill(this.#options.ratio);
  }

  /** True where a retry may be sent; it is then paid for. */
  spend(nowMs: number): boolean {
    this.#fill((this.#options.floorPerSecond * Math.max(0, nowMs - this.#filledAtMs)) / 1000);
    this.#filledAtMs = Math.max(this.#filledAtMs, nowMs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #fill(tokens: number): void {
    this.#tokens = Math.min(this.#options.burst, this.#tokens + tokens);
  }
}
