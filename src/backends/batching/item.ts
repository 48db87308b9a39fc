/**
 * One queued request. The host extends it with what it needs to run and answer; the batcher keeps its places in the
 * queues inside the item itself, so that queueing allocates nothing and leaving from the middle costs nothing.
 */
export class BatchItem {
  readonly rows: number;
  /** Signature of dtypes and non-batch dimensions: only items with equal keys share a run. */
  readonly key: string;
  /** 1 = highest; 0 = the default level. */
  readonly priority: number;
  /** What the request asked for, honoured where the queue policy allows it; 0 = nothing. */
  readonly timeoutUs: number;
  /** When the client stops waiting, on the batcher's clock; Infinity = never. */
  readonly deadlineMs: number;
  enqueuedMs = 0;

  constructor(facts: BatchItemFacts) {
    this.rows = facts.rows;
    this.key = facts.key;
    this.priority = facts.priority ?? 0;
    this.timeoutUs = facts.timeoutUs ?? 0;
    this.deadlineMs = facts.deadlineMs ?? Infinity;
  }
}

export interface BatchItemFacts {
  readonly rows: number;
  readonly key: string;
  readonly priority?: number;
  readonly timeoutUs?: number;
  readonly deadlineMs?: number;
}
