/** Time that passes only as events say: the same events at the same times, in the same order, every time. */
export class VirtualClock {
  #nowMs = 0;
  #added = 0;
  /** A binary heap by time, then by the order of adding. */
  readonly #events: { readonly atMs: number; readonly order: number; readonly happen: () => void }[] = [];

  get nowMs(): number {
    return this.#nowMs;
  }

  after(ms: number, happen: () => void): void {
    this.at(this.#nowMs + ms, happen);
  }

  at(atMs: number, happen: () => void): void {
    const heap = this.#events;
    heap.push({ atMs, order: this.#added++, happen });
    for (let at = heap.length - 1; at > 0 && this.#precedes(at, (at - 1) >> 1); at = (at - 1) >> 1)
      this.#swap(at, (at - 1) >> 1);
  }

  /** Until nothing more is to happen. */
  run(): void {
    const heap = this.#events;
    while (heap.length > 0) {
      const { atMs, happen } = heap[0]!;
      this.#swap(0, heap.length - 1);
      heap.pop();
      for (let at = 0; ; ) {
        let least = at;
        for (const child of [2 * at + 1, 2 * at + 2])
          if (child < heap.length && this.#precedes(child, least)) least = child;
        if (least === at) break;
        this.#swap(at, least);
        at = least;
      }
      this.#nowMs = atMs;
      happen();
    }
  }

  #precedes(a: number, b: number): boolean {
    const [x, y] = [this.#events[a]!, this.#events[b]!];
    return x.atMs < y.atMs || (x.atMs === y.atMs && x.order < y.order);
  }

  #swap(a: number, b: number): void {
    const heap = this.#events;
    [heap[a], heap[b]] = [heap[b]!, heap[a]!];
  }
}
