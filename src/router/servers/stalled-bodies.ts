import { SkeinError } from '../../protocol/errors.ts';

/** A request whose body is still on its way. */
export interface AwaitedBody {
  /** Bytes of its connection so far. */
  readonly bytesRead: number;
  /** The router does not read on purpose: the client is not to blame for the silence. */
  readonly isPaused: boolean;
  onStalled(): void;
}

interface Watched {
  /** Bytes of the connection when it was last looked at, and how often they were the same. */
  bytesRead: number;
  silentTicks: number;
}

/** How often one time-out is divided: a body is given up at most an eighth of the time-out late. */
const ticksPerTimeout = 8;

/** What the client of such a body is told; `expectedBytes` is undefined where its end would only have shown. */
export function bodyStalled(expectedBytes: number | undefined, timeoutMs: number): SkeinError {
  const expected = expectedBytes === undefined ? 'end' : `${expectedBytes} bytes`;
  return new SkeinError('body_stalled', { expected, seconds: timeoutMs / 1_000 });
}

/**
 * Ends bodies that stop coming. One timer looks at all of them: a request pays for two operations on a map, not for a
 * timer, and pieces cost nothing, because the connection counts its bytes anyway.
 */
export class StalledBodies {
  readonly #watched = new Map<AwaitedBody, Watched>();
  readonly #tickMs: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(timeoutMs: number) {
    this.#tickMs = timeoutMs / ticksPerTimeout;
  }

  watch(body: AwaitedBody): void {
    this.#watched.set(body, { bytesRead: -1, silentTicks: 0 });
    this.#timer ??= setInterval(() => this.#tick(), this.#tickMs).unref();
  }

  forget(body: AwaitedBody): void {
    this.#watched.delete(body);
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #tick(): void {
    if (this.#watched.size === 0) this.stop();
    for (const [body, watched] of this.#watched) {
      const { bytesRead } = body;
      if (body.isPaused || bytesRead !== watched.bytesRead) {
        watched.bytesRead = bytesRead;
        watched.silentTicks = 0;
      } else if (++watched.silentTicks >= ticksPerTimeout) {
        this.#watched.delete(body);
        body.onStalled();
      }
    }
  }
}
