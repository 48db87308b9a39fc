interface ClockEvent {
  readonly atMs: number;
  readonly order: number;
  readonly happen: () => void;
}

/** Time that passes only as events say: the same events at the same times, in the same order, every time. */
export class VirtualClock {
  #nowMs = 0;
  #added = 0;
  /** A binary heap by time, then by the order of adding. */
  readonly #events: ClockEvent[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, happen: () => void): void {
    this.at(this.#nowMs + ms, happen);
  }

  /** What is due already happens next, after what is due before it. */
  at(atMs: number, happen: () => void): void {
    const heap = this.#events;
    const event = { atMs: Math.max(atMs, this.#nowMs), order: this.#added++, happen };
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!precedes(event, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = event;
  }

  /** Until nothing more is to happen, or `isOver` says so. */
  run(isOver: () => boolean = () => false): void {
    while (this.#events.length > 0 && !isOver()) {
      const { atMs, happen } = this.#take();
      this.#nowMs = atMs;
      happen();
    }
  }

  #take(): ClockEvent {
    const heap = this.#events;
    const first = heap[0]!;
    const moved = heap.pop()!;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && precedes(heap[child + 1]!, heap[child]!)) child += 1;
      if (!precedes(heap[child]!, moved)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = moved;
    return first;
  }
}

function precedes(a: ClockEvent, b: ClockEvent): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order);
}
