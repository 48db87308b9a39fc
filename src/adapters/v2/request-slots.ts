import { SkeinError } from '../../protocol/errors.ts';

/** A place among the requests under way, or in the line before them. */
export interface Slot {
  /** Gives the place back; the next in line gets it. Safe to call again. */
  leave(): void;
}

/** How many requests may be under way at a server at once, and how many may wait for one of them to end. */
export class RequestSlots {
  readonly #limit: number;
  readonly #maxWaiting: number;
  /** In order of arrival. */
  readonly #waiting = new Set<() => void>();
  #taken = 0;
  #isStarting = false;

  constructor(limit: number, maxWaiting: number) {
    this.#limit = limit;
    this.#maxWaiting = maxWaiting;
  }

  get taken(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /**
   * Calls `start` with the place once there is one: before this returns, where there is room now. The place that is
   * returned is the same; it may be left while it is still one in the line. Undefined where too many wait already.
   */
  enter(start: (slot: Slot) => void): Slot | undefined {
    if (this.#taken >= this.#limit && this.#waiting.size >= this.#maxWaiting) return undefined;
    let isOver = false;
    const begin = () => {
      this.#taken += 1;
      start(slot);
    };
    const slot: Slot = {
      leave: () => {
        if (isOver) return;
        isOver = true;
        if (this.#waiting.delete(begin)) return;
        this.#taken -= 1;
        this.#startNext();
      },
    };
    this.#waiting.add(begin);
    this.#startNext();
    return slot;
  }

  /** Does `work` when there is room; rejects with queue_full where too many wait already. */
  run<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const slot = this.enter((place) => {
        work()
          .then(resolve, reject)
          .finally(() => place.leave());
      });
      if (slot === undefined) reject(new SkeinError('queue_full'));
    });
  }

  /** One loop however deep the calls: a start may fail at once, and give its place back inside its own call. */
  #startNext(): void {
    if (this.#isStarting) return;
    this.#isStarting = true;
    for (const begin of this.#waiting) {
      if (this.#taken >= this.#limit) break;
      this.#waiting.delete(begin);
      begin();
    }
    this.#isStarting = false;
  }
}
