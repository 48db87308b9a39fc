import type { BatchingOptions } from './batching-options.ts';
import type { BatchItem } from './item.ts';
import { LinkedQueue, QueueNode } from './linked-queue.ts';

/** All queued items of one key: those that may share a run. */
export class Bucket {
  /** Set anew when an emptied bucket is used again. */
  key = '';
  /** By lane, as in `BatchItem.lane`: the order in which they are served. */
  readonly lanes: readonly LinkedQueue<BatchItem>[];
  /** In the batcher's list of buckets that need not wait any longer. */
  readonly inRipe = new QueueNode<Bucket>(this);
  rows = 0;
  items = 0;
  urgentItems = 0;

  constructor(laneCount: number) {
    this.lanes = Array.from({ length: laneCount }, () => new LinkedQueue<BatchItem>());
  }

  add(item: BatchItem): void {
    this.lanes[item.lane]!.append(item.inBucket);
    this.rows += item.rows;
    this.items += 1;
    if (item.urgent) this.urgentItems += 1;
  }

  remove(item: BatchItem): void {
    this.lanes[item.lane]!.remove(item.inBucket);
    this.rows -= item.rows;
    this.items -= 1;
    if (item.urgent) this.urgentItems -= 1;
  }

  /** The lane of the item that is served first. */
  get firstLane(): number {
    return this.lanes.findIndex((lane) => lane.length > 0);
  }

  /**
   * How many items, from the first, make the next run. Triton's choice: up to the largest preferred size, cut back to the
   * last point at which the rows were of a preferred size; in a hurry, whatever fits. Never more than
   * `maxRows`, but for a first item that brings more by itself.
   */
  batchLength(options: BatchingOptions, inAHurry: boolean, maxRows: number): number {
    const wanted = inAHurry ? options.maxBatchRows : (options.preferredRows.at(-1) ?? options.maxBatchRows);
    const limit = Math.min(wanted, maxRows);
    let items = 0;
    let rows = 0;
    let preferred = 0;
    for (const lane of this.lanes) {
      for (let node = lane.first; node !== undefined; node = node.after) {
        if (items > 0 && rows + node.owner.rows > limit) return preferred > 0 && !inAHurry ? preferred : items;
        items += 1;
        rows += node.owner.rows;
        if (options.preferredRows.includes(rows)) preferred = items;
      }
    }
    return preferred > 0 && !inAHurry ? preferred : items;
  }

  /** True where waiting for company gains nothing: a preferred size is reached, or all that may run together is here. */
  isRipe(options: BatchingOptions): boolean {
    if (this.urgentItems > 0) return true;
    const limit = options.preferredRows.at(-1) ?? options.maxBatchRows;
    if (this.rows >= limit) return true;
    if (options.preferredRows.length === 0) return false;
    let rows = 0;
    for (const lane of this.lanes) {
      for (let node = lane.first; node !== undefined; node = node.after) {
        rows += node.owner.rows;
        if (options.preferredRows.includes(rows)) return true;
      }
    }
    return false;
  }
}
