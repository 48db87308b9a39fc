import { SkeinError } from '../../protocol/errors.ts';

/** The runs of one session: none begins once it is to be freed, which waits for those under way. */
export class SessionRuns {
  #count = 0;
  #isOver = false;
  #whenIdle: (() => void) | undefined;

  /** Throws where nobody wants the run any more, or the session is not there for it. */
  begin(signal?: AbortSignal): void {
    if (this.#isOver) throw new SkeinError('copy_gone', { model: '' });
    if (signal?.aborted) throw new SkeinError('cancelled');
    this.#count += 1;
  }

  end(): void {
    this.#count -= 1;
    if (this.#count === 0) this.#whenIdle?.();
  }

  /** Resolves when no run is under way: true for the first who asks, who is to free the session. */
  async close(): Promise<boolean> {
    if (this.#isOver) return false;
    this.#isOver = true;
    if (this.#count > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    return true;
  }
}
