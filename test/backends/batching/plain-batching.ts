import type { BatchingOptions } from '../../../src/backends/batching/batching-options.ts';

/** What a model without `dynamic_batching` gets: no waiting, one level, a bounded queue. */
export function plainBatching(maxBatchRows: number, maxQueueSize: number): BatchingOptions {
  return {
    maxBatchRows,
    preferredRows: [],
    maxQueueDelayMs: 0,
    preserveOrdering: false,
    levels: [{ maxQueueSize, defaultTimeoutMs: Infinity, timeoutAction: 'reject', allowTimeoutOverride: false }],
    defaultLevel: 1,
  };
}
