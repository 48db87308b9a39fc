import type { BatchingOptions, QueuePolicy } from './batching-options.ts';
import { Bucket } from './bucket.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import type { BatchItem } from './item.ts';
import type { LatencyModel } from './latency-model.ts';
import { LinkedQueue } from './linked-queue.ts';
import { withinDeadlines } from './within-deadlines.ts';

type PushRefusal = 'queue_full' | 'too_many_rows' | 'expired';

export interface ExpiredItem<I> {
  readonly item: I;
  /** `timeout`: the queue policy's; `deadline`: the client's. */
  readonly why: 'timeout' | 'deadline';
}

export type NextStep<I> =
  | { readonly kind: 'run'; readonly items: I[]; readonly rows: number; readonly expired: readonly ExpiredItem<I>[] }
  /** Call again at this time at the latest, or when a slot frees or an item is pushed. Infinity: nothing to wait for. */
  | { readonly kind: 'wait'; readonly wakeAtMs: number; readonly expired: readonly ExpiredItem<I>[] };

/** Emptied buckets that are kept for the next keys: a bucket is the one thing that queueing would allocate. */
const maxSpareBuckets = 64;
const nothing: readonly never[] = Object.freeze([]);

/**
 * The queue of one copy: which requests run together, and when. It owns no clock and starts nothing; the host calls
 * `next` when a slot frees, when an item was pushed, and at `wakeAtMs`.
 *
 *   level 1   a1 b1 a2 a3 |  delayed          each item is in two queues: its lane (by age, over all keys) and its
 *   level 2   b2 a4       |  delayed          bucket (by age, one key): the oldest item of the highest level names the
 *             bucket a: a1 a2 a3 a4           bucket that runs next, and nobody waits behind another key
 *
 * Invariants: an item is in a lane exactly while it is in a bucket; a run has one key and at most maxBatchRows rows; items
 * of one key and level run in the order in which they came, but for those that a full run would make too late. push, next and cancel cost the same however long the queue
 * is, but for the heap of those that expire: log(n), and constant where they expire in the order of arrival.
 */
export class Batcher<I extends BatchItem> {
  readonly #options: BatchingOptions;
  readonly #latency: LatencyModel | undefined;
  /** Two per level: items in time, then items that the timeout policy delayed. */
  readonly #lanes: readonly LinkedQueue<BatchItem>[];
  /** Those that hold something. */
  readonly #buckets = new Map<string, Bucket>();
  readonly #spareBuckets: Bucket[] = [];
  /** Buckets that have no reason to wait for company, in the order in which they became so. Used where a delay is set. */
  readonly #ripe = new LinkedQueue<Bucket>();
  readonly #expiry = new ExpiryHeap<I>();
  #queuedItems = 0;
  #queuedRows = 0;

  /** With a latency model, requests are refused as soon as their deadline cannot be met, not when it has passed. */
  constructor(options: BatchingOptions, latency?: LatencyModel) {
    this.#options = options;
    this.#latency = latency;
    this.#lanes = Array.from({ length: 2 * options.levels.length }, () => new LinkedQueue<BatchItem>());
  }

  get queuedItems(): number {
    return this.#queuedItems;
  }

  get queuedRows(): number {
    return this.#queuedRows;
  }

  /** Undefined: accepted. */
  push(item: I, nowMs: number): PushRefusal | undefined {
    if (item.rows > this.#options.maxBatchRows) return 'too_many_rows';
    if (item.deadlineMs <= nowMs) return 'expired';
    const level = this.#levelOf(item);
    const policy = this.#options.levels[level]!;
    if (this.#lanes[2 * level]!.length + this.#lanes[2 * level + 1]!.length >= policy.maxQueueSize) return 'queue_full';
    item.enqueuedMs = nowMs;
    item.lane = 2 * level;
    const latestMs = this.#latestStartMs(item, nowMs);
    const timeoutAtMs = nowMs + timeoutMs(item, policy);
    item.expiresMs = Math.min(latestMs, timeoutAtMs);
    item.expiresFor = latestMs <= timeoutAtMs ? 'deadline' : 'timeout';
    // Half of what its deadline leaves may be spent on waiting for company, no more.
    const delayMs = this.#options.maxQueueDelayMs;
    item.urgent = (latestMs - nowMs) / 2 < delayMs || timeoutAtMs - nowMs <= delayMs;
    this.#enter(item);
    return undefined;
  }

  /** When the first of those queued would be refused or delayed; Infinity where none ever is. */
  get nextExpiryMs(): number {
    return this.#expiry.nextMs;
  }

  /**
   * At most one batch a call: call again while it answers `run` and slots are free. `maxRows` bounds it further than the
   * options do.
   */
  next(nowMs: number, freeSlots: number, maxRows = Infinity): NextStep<I> {
    const expired = this.#expire(nowMs);
    if (freeSlots > 0 && this.#queuedItems > 0) {
      const bucket = this.#dueBucket(nowMs);
      if (bucket !== undefined) return this.#take(bucket, nowMs, maxRows, expired);
    }
    const wakeAtMs = freeSlots > 0 ? Math.min(this.#expiry.nextMs, this.#delayEndsMs()) : this.#expiry.nextMs;
    return { kind: 'wait', wakeAtMs, expired };
  }

  /** Of what `next` would run with a free slot; undefined where nothing is due, or somebody's time is over first. */
  due(nowMs: number): { readonly key: string; readonly rows: number } | undefined {
    return this.#expiry.nextMs <= nowMs ? undefined : this.#dueBucket(nowMs);
  }

  /** True where the item was still queued; it is then forgotten. */
  cancel(item: I): boolean {
    if (!item.isQueued) return false;
    this.#leaveEarly(item);
    return true;
  }

  /** Triton's rule: a level that does not exist is the default one, never an error. */
  #levelOf({ priority }: I): number {
    const { levels, defaultLevel } = this.#options;
    return (priority >= 1 && priority <= levels.length ? priority : defaultLevel) - 1;
  }

  /**
   * An estimate alone never refuses what has not waited: a first slow run would otherwise keep every later request out,
   * and with them the runs that would correct it.
   */
  #latestStartMs({ deadlineMs, rows }: I, nowMs: number): number {
    if (deadlineMs === Infinity || this.#latency === undefined) return deadlineMs;
    const latestMs = deadlineMs - this.#latency.runMs(rows);
    return latestMs > nowMs ? latestMs : deadlineMs;
  }

  #enter(item: I): void {
    let bucket = this.#buckets.get(item.key);
    if (bucket === undefined) {
      bucket = this.#spareBuckets.pop() ?? new Bucket(this.#lanes.length);
      bucket.key = item.key;
      this.#buckets.set(item.key, bucket);
    }
    this.#lanes[item.lane]!.append(item.inLane);
    bucket.add(item);
    this.#expiry.add(item);
    this.#queuedItems += 1;
    this.#queuedRows += item.rows;
    this.#ripen(bucket);
  }

  #leave(item: I): void {
    const bucket = this.#buckets.get(item.key)!;
    this.#lanes[item.lane]!.remove(item.inLane);
    bucket.remove(item);
    item.lane = -1;
    this.#expiry.remove(item);
    this.#queuedItems -= 1;
    this.#queuedRows -= item.rows;
    if (bucket.items > 0) return;
    this.#ripe.remove(bucket.inRipe);
    this.#buckets.delete(bucket.key);
    if (this.#spareBuckets.length < maxSpareBuckets) this.#spareBuckets.push(bucket);
  }

  /** Without being run: what stays may have a reason to wait again. */
  #leaveEarly(item: I): void {
    const bucket = this.#buckets.get(item.key)!;
    this.#leave(item);
    if (bucket.inRipe.queue !== undefined && !bucket.isRipe(this.#options)) this.#ripe.remove(bucket.inRipe);
  }

  #ripen(bucket: Bucket): void {
    if (this.#options.maxQueueDelayMs === 0 || bucket.inRipe.queue !== undefined) return;
    if (bucket.isRipe(this.#options)) this.#ripe.append(bucket.inRipe);
  }

  /** Refuses or delays all whose time is over. */
  #expire(nowMs: number): readonly ExpiredItem<I>[] {
    let expired: ExpiredItem<I>[] | undefined;
    while (this.#expiry.nextMs <= nowMs) {
      const item = this.#expiry.earliest!;
      const why = item.expiresFor;
      const level = item.lane >> 1;
      this.#leaveEarly(item);
      if (why === 'timeout' && this.#options.levels[level]!.timeoutAction === 'delay') {
        item.lane = 2 * level + 1;
        item.expiresMs = item.deadlineMs;
        item.expiresFor = 'deadline';
        this.#enter(item);
      } else {
        expired ??= [];
        expired.push({ item, why });
      }
    }
    return expired ?? nothing;
  }

  /** The bucket to run now: of the highest level that has something due, the one whose item is the oldest. */
  #dueBucket(nowMs: number): Bucket | undefined {
    const ripe = this.#ripe.first?.owner;
    const ripeLane = ripe?.firstLane;
    for (let lane = 0; lane < this.#lanes.length; lane++) {
      const oldest = this.#lanes[lane]!.first?.owner;
      if (oldest === undefined) continue;
      const isDelayedLane = lane % 2 === 1;
      if (isDelayedLane || oldest.enqueuedMs + this.#options.maxQueueDelayMs <= nowMs)
        return this.#buckets.get(oldest.key);
      if (lane === ripeLane) return ripe;
    }
    return undefined;
  }

  #take(bucket: Bucket, nowMs: number, maxRows: number, expired: readonly ExpiredItem<I>[]): NextStep<I> {
    const delayMs = this.#options.maxQueueDelayMs;
    const overdue =
      delayMs > 0 && bucket.lanes.some((lane) => (lane.first?.owner.enqueuedMs ?? Infinity) + delayMs <= nowMs);
    const length = bucket.batchLength(this.#options, overdue || bucket.urgentItems > 0, maxRows);
    const queued: I[] = [];
    for (const lane of bucket.lanes) {
      for (let node = lane.first; node !== undefined && queued.length < length; node = node.after) {
        queued.push(node.owner as I);
      }
    }
    const items = this.#latency === undefined ? queued : withinDeadlines(queued, nowMs, this.#latency);
    let rows = 0;
    for (const item of items) {
      this.#leave(item);
      rows += item.rows;
    }
    this.#ripe.remove(bucket.inRipe);
    if (bucket.items > 0) this.#ripen(bucket);
    return { kind: 'run', items, rows, expired };
  }

  /** When the oldest item that waits for company has waited long enough. */
  #delayEndsMs(): number {
    let earliestMs = Infinity;
    for (const lane of this.#lanes) {
      const oldest = lane.first?.owner;
      if (oldest !== undefined) earliestMs = Math.min(earliestMs, oldest.enqueuedMs + this.#options.maxQueueDelayMs);
    }
    return earliestMs;
  }
}

function timeoutMs(item: BatchItem, policy: QueuePolicy): number {
  const askedMs = item.timeoutUs / 1000;
  const override = policy.allowTimeoutOverride && askedMs > 0 && askedMs < policy.defaultTimeoutMs;
  return override && policy.defaultTimeoutMs !== Infinity ? askedMs : policy.defaultTimeoutMs;
}
