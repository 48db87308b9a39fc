import type { MessageView } from './message-view.ts';
import type { DynamicBatching, QueuePolicy } from './model-config.ts';

export const plainQueuePolicy: QueuePolicy = Object.freeze({
  timeoutAction: 'REJECT',
  defaultTimeoutUs: 0,
  allowTimeoutOverride: false,
  maxQueueSize: 0,
});

/** `dynamic_batching { }`: batches form from what waits, nothing is ever held back. */
export const plainDynamicBatching: DynamicBatching = Object.freeze({
  preferredBatchSizes: Object.freeze([]),
  maxQueueDelayUs: 0,
  preserveOrdering: false,
  priorityLevels: 0,
  defaultPriorityLevel: 0,
  defaultQueuePolicy: plainQueuePolicy,
  priorityQueuePolicy: new Map(),
});

export function readDynamicBatching(view: MessageView): DynamicBatching {
  const policies = view.entries('priority_queue_policy');
  return Object.freeze({
    preferredBatchSizes: Object.freeze([...new Set(view.counts('preferred_batch_size'))].sort((a, b) => a - b)),
    maxQueueDelayUs: view.count('max_queue_delay_microseconds'),
    preserveOrdering: view.flag('preserve_ordering'),
    priorityLevels: view.count('priority_levels'),
    defaultPriorityLevel: view.count('default_priority_level'),
    defaultQueuePolicy: view.has('default_queue_policy')
      ? readQueuePolicy(view.message('default_queue_policy'))
      : plainQueuePolicy,
    priorityQueuePolicy: new Map(policies.map(([level, policy]) => [Number(level), readQueuePolicy(policy)])),
  });
}

function readQueuePolicy(view: MessageView): QueuePolicy {
  return Object.freeze({
    timeoutAction: view.choice('timeout_action', 'REJECT'),
    defaultTimeoutUs: view.count('default_timeout_microseconds'),
    allowTimeoutOverride: view.flag('allow_timeout_override'),
    maxQueueSize: view.count('max_queue_size'),
  });
}
