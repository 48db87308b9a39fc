/** Triton's `dynamic_batching`, compiled: every field has a value, times are milliseconds, levels count from 1. */
export interface BatchingOptions {
  /** Rows of one run. 1 for a model that does not batch: every request then runs by itself. */
  readonly maxBatchRows: number;
  /** Ascending. Empty: as if it were [maxBatchRows]. */
  readonly preferredRows: readonly number[];
  /** 0: a free slot runs what is queued at once. */
  readonly maxQueueDelayMs: number;
  readonly preserveOrdering: boolean;
  /** One policy per priority level, highest first; never empty. */
  readonly levels: readonly QueuePolicy[];
  /** Level of a request that names none, from 1. */
  readonly defaultLevel: number;
}

export interface QueuePolicy {
  /** Requests, not rows. Infinity only where the user asked for it. */
  readonly maxQueueSize: number;
  /** Infinity = none. */
  readonly defaultTimeoutMs: number;
  readonly timeoutAction: 'reject' | 'delay';
  /** A request's own timeout counts where it is smaller than the default (Triton's rule: without a default, never). */
  readonly allowTimeoutOverride: boolean;
}
