import type { DynamicBatching, QueuePolicy } from './model-config.ts';

/** Every level has a queue of its own. */
const mostPriorityLevels = 1_000;

/**
 * Triton's rules for `dynamic_batching`, with its texts. `largest` is the largest batch, or undefined while it is still to
 * come from the model.
 */
export function checkDynamicBatching(
  batching: DynamicBatching,
  largest: number | undefined,
  fail: (reason: string) => never,
): void {
  for (const size of batching.preferredBatchSizes) {
    if (size <= 0) fail('dynamic batching preferred size must be positive');
    if (largest !== undefined && size > largest) fail('dynamic batching preferred size must be <= max batch size');
  }
  const { priorityLevels, defaultPriorityLevel, priorityQueuePolicy } = batching;
  if (priorityLevels > mostPriorityLevels)
    fail(`at most ${mostPriorityLevels} priority levels are possible, got ${priorityLevels}`);
  const isLevel = (level: number) => Number.isInteger(level) && level >= 1 && level <= priorityLevels;
  if (priorityLevels > 0) {
    const range = `in range [1, ${priorityLevels}]`;
    if (!isLevel(defaultPriorityLevel)) fail(`default priority level must be ${range}`);
    if (![...priorityQueuePolicy.keys()].every(isLevel)) {
      fail(`priority queue policy must have priority level ${range}`);
    }
  }
  if (!batching.preserveOrdering) return;
  if (priorityLevels > 1) fail("Only one priority level is allowed when 'preserve_ordering' is true");
  if ([batching.defaultQueuePolicy, ...priorityQueuePolicy.values()].some(delays)) {
    fail("Queue policy can not have DELAY as timeout action when 'preserve_ordering' is true");
  }
}

function delays(policy: QueuePolicy): boolean {
  return policy.timeoutAction === 'DELAY' && policy.defaultTimeoutUs !== 0;
}
