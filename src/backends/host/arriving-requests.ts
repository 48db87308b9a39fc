/**
 * A copy that leaves waits so long for bodies that are still coming. Longer would let a client that sends a byte now and
 * then keep everybody out of the memory that the copy holds.
 */
const arrivingMs = 10_000;

/** Requests for one copy whose bodies are still coming, or are read on a thread: it serves them before it leaves. */
export class ArrivingRequests {
  #count = 0;
  #whenNone: (() => void) | undefined;

  get count(): number {
    return this.#count;
  }

  begin(): void {
    this.#count++;
  }

  end(): void {
    this.#count--;
    if (this.#count === 0) this.#whenNone?.();
  }

  /** Resolves when none is arriving, at the latest after 10 s; nobody may begin new ones. */
  async whenNone(): Promise<void> {
    if (this.#count === 0) return;
    await new Promise<void>((resolve) => {
      this.#whenNone = resolve;
      setTimeout(resolve, arrivingMs).unref();
    });
  }
}
