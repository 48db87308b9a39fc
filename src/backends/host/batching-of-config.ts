import type { BatchingParameters } from '../../fleet/repository/batching-parameters.ts';
import type { QueuePolicy as ConfiguredPolicy, ModelConfig } from '../../fleet/repository/model-config.ts';
import type { BatchingOptions, QueuePolicy } from '../batching/batching-options.ts';

/** Compiles `dynamic_batching` for the batcher. `defaultMaxQueueSize` bounds queues that the user left without a bound. */
export function batchingOptions(config: ModelConfig, defaultMaxQueueSize: number): BatchingOptions {
  const batching = config.dynamicBatching;
  const compile = (policy: ConfiguredPolicy): QueuePolicy => ({
    maxQueueSize: policy.maxQueueSize === 0 ? defaultMaxQueueSize : policy.maxQueueSize,
    defaultTimeoutMs: policy.defaultTimeoutUs === 0 ? Infinity : policy.defaultTimeoutUs / 1000,
    timeoutAction: policy.timeoutAction === 'DELAY' ? 'delay' : 'reject',
    allowTimeoutOverride: policy.allowTimeoutOverride,
  });
  if (batching === undefined) {
    return {
      // Without dynamic batching every request is a run of its own, of as many rows as it brings.
      maxBatchRows: 1,
      preferredRows: [],
      maxQueueDelayMs: 0,
      preserveOrdering: false,
      levels: [
        {
          maxQueueSize: defaultMaxQueueSize,
          defaultTimeoutMs: Infinity,
          timeoutAction: 'reject',
          allowTimeoutOverride: false,
        },
      ],
      defaultLevel: 1,
    };
  }
  const levelCount = Math.max(1, batching.priorityLevels);
  return {
    maxBatchRows: Math.max(1, config.maxBatchSize),
    preferredRows: batching.preferredBatchSizes,
    maxQueueDelayMs: batching.maxQueueDelayUs / 1000,
    preserveOrdering: batching.preserveOrdering,
    levels: Array.from({ length: levelCount }, (_, i) =>
      compile(batching.priorityQueuePolicy.get(i + 1) ?? batching.defaultQueuePolicy),
    ),
    defaultLevel: batching.defaultPriorityLevel === 0 ? 1 : batching.defaultPriorityLevel,
  };
}

/** Most requests that one queue is given by batching parameters, whatever they say. */
const mostQueued = 1_000_000;

/** TensorFlow Serving's batching parameters for a model of so large a batch; 0: it does not batch, and has none. */
export function parameterBatching(parameters: BatchingParameters, modelMaxBatchSize: number): BatchingOptions {
  const { maxBatchSize, maxExecutionBatchSize, batchTimeoutUs, maxEnqueuedBatches, allowedBatchSizes } = parameters;
  const batches = modelMaxBatchSize > 0;
  const maxBatchRows = Math.max(1, Math.min(maxExecutionBatchSize ?? maxBatchSize, modelMaxBatchSize));
  const policy: QueuePolicy = {
    maxQueueSize: Math.min(mostQueued, maxEnqueuedBatches * maxBatchRows),
    defaultTimeoutMs: Infinity,
    timeoutAction: 'reject',
    allowTimeoutOverride: false,
  };
  return {
    maxBatchRows,
    preferredRows: [],
    maxQueueDelayMs: batchTimeoutUs / 1000,
    preserveOrdering: false,
    levels: [policy],
    defaultLevel: 1,
    ...(batches && allowedBatchSizes.length > 0 && { allowedRows: allowedBatchSizes }),
    ...(batches && { maxRequestRows: maxBatchSize, padsLengths: parameters.padsLengths }),
    ...(batches && maxExecutionBatchSize !== undefined && { splitRows: maxBatchRows }),
  };
}

/**
 * Whether the user wrote which batches are worth waiting for: then batches are formed by that, and what was learned of
 * their sizes is not used. A bare `dynamic_batching` leaves the sizes to us, up to max_batch_size. `config` is as it was
 * written, not completed.
 */
export function batchesAreWritten(config: ModelConfig | undefined): boolean {
  const batching = config?.dynamicBatching;
  return batching !== undefined && (batching.preferredBatchSizes.length > 0 || batching.maxQueueDelayUs > 0);
}
