import { QueueNode } from './linked-queue.ts';

export interface BatchItemFacts {
  readonly rows: number;
  readonly key: string;
  readonly priority?: number;
  readonly timeoutUs?: number;
  readonly deadlineMs?: number;
}

/**
 * One queued request. The host extends it with what it needs to run and answer; the batcher keeps its places in the
 * queues inside the item itself, so that queueing allocates nothing and leaving from the middle costs nothing.
 */
export class BatchItem {
  /** At least 1. */
  readonly rows: number;
  /** Signature of dtypes and non-batch dimensions: only items with equal keys share a run. */
  readonly key: string;
  /** 1 = highest; 0, and what the model has no level for, = the default level. */
  readonly priority: number;
  /** What the request asked for, honoured where the queue policy allows it; 0 = nothing. */
  readonly timeoutUs: number;
  /** When the client stops waiting, on the batcher's clock; Infinity = never. */
  readonly deadlineMs: number;
  /** The last push. */
  enqueuedMs = 0;

  // What follows is the batcher's.
  /** Among all items of its level, oldest first. */
  readonly inLane = new QueueNode<BatchItem>(this);
  /** Among the items of its level that have its key. */
  readonly inBucket = new QueueNode<BatchItem>(this);
  /** From 0; levels in order of priority, each with its lane of delayed items behind it. */
  lane = -1;
  /** When it is refused or delayed, whichever comes first. */
  expiresMs = Infinity;
  /** Whose patience ends then: the queue policy's or the client's. */
  expiresFor: 'timeout' | 'deadline' = 'deadline';
  /** Its place among the items that expire; -1 where it never does. */
  expiryIndex = -1;
  /** Has no time to wait for company. */
  urgent = false;

  constructor(facts: BatchItemFacts) {
    this.rows = facts.rows;
    this.key = facts.key;
    this.priority = facts.priority ?? 0;
    this.timeoutUs = facts.timeoutUs ?? 0;
    this.deadlineMs = facts.deadlineMs ?? Infinity;
  }

  get isQueued(): boolean {
    return this.lane >= 0;
  }
}
