import type { BatchingOptions } from './batching-options.ts';
import type { BatchItem } from './item.ts';

export type PushRefusal = 'queue_full' | 'too_many_rows' | 'priority_unknown' | 'expired';

export interface ExpiredItem<I> {
  readonly item: I;
  /** `timeout`: the queue policy's; `deadline`: the client's. */
  readonly why: 'timeout' | 'deadline';
}

export type NextStep<I> =
  | { readonly kind: 'run'; readonly items: I[]; readonly rows: number; readonly expired: readonly ExpiredItem<I>[] }
  /** Call again at this time at the latest, or when a slot frees or an item is pushed. Infinity: nothing to wait for. */
  | { readonly kind: 'wait'; readonly wakeAtMs: number; readonly expired: readonly ExpiredItem<I>[] };

export declare class Batcher<I extends BatchItem> {
  constructor(options: BatchingOptions);
  get queuedItems(): number;
  get queuedRows(): number;
  /** Undefined: accepted. */
  push(item: I, nowMs: number): PushRefusal | undefined;
  /** At most one batch a call: call again while it answers `run` and slots are free. */
  next(nowMs: number, freeSlots: number): NextStep<I>;
  /** True where the item was still queued; it is then forgotten. */
  cancel(item: I): boolean;
}
