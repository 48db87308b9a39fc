/** Triton's `dynamic_batching`, compiled: every field has a value, times are milliseconds, levels count from 1. */
export interface BatchingOptions {
  /** Rows of one run. 1 for a model that does not batch: every request then runs by itself. */
  readonly maxBatchRows: number;
  /** Ascending, none above maxBatchRows. Empty: as if it were [maxBatchRows]. */
  readonly preferredRows: readonly number[];
  /** 0: a free slot runs what is queued at once. */
  readonly maxQueueDelayMs: number;
  /**
   * Answers leave in the order in which requests came: the host passes them through an AnswerOrder. Runs are formed and
   * started as ever, so that what it costs is waiting for earlier answers, not smaller batches. As in Triton it cannot go
   * together with several levels or with timeoutAction `delay`.
   */
  readonly preserveOrdering: boolean;
  /** One policy per priority level, highest first; never empty. */
  readonly levels: readonly QueuePolicy[];
  /** Level of a request that names none or one that does not exist, from 1. */
  readonly defaultLevel: number;
  /** Ascending: a run is filled up to the next of these, where there is one. Left out: runs have the rows that came. */
  readonly allowedRows?: readonly number[];
  /** A request of more rows is refused. Left out: it runs by itself. */
  readonly maxRequestRows?: number;
  /** More rows run in pieces of so many. Left out: in one. */
  readonly splitRows?: number;
  /** Requests of unequal lengths share a run: the shorter ones are padded. */
  readonly padsLengths?: boolean;
}

export interface QueuePolicy {
  /** Requests, not rows. Infinity only where the user asked for it. */
  readonly maxQueueSize: number;
  /** Infinity = none. */
  readonly defaultTimeoutMs: number;
  /** `delay`: a late request is served after all others of its level that are in time. */
  readonly timeoutAction: 'reject' | 'delay';
  /** A request's own timeout counts where it is smaller than the default (Triton's rule: without a default, never). */
  readonly allowTimeoutOverride: boolean;
}
