/** Where the load goes. */
export interface Endpoint {
  readonly protocol: 'http' | 'grpc';
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** A request as it goes out; two pieces spare a copy where many models share a large body. */
export type WireRequest = readonly [Buffer] | readonly [head: Buffer, body: Buffer];

export interface LaneEvents {
  /** The request is answered, or lost: `status` is 0 and `problem` says why. */
  onSettled(lane: Lane): void;
  /** The next one can be sent. After a loss that is a moment later, so that a dead server is not hammered. */
  onFree(lane: Lane): void;
}

/** Rest after a loss. */
const restMs = 100;

/** One connection that carries one request at a time, and keeps the figures of the last one until the next. */
export abstract class Lane {
  /** Of the last request, by performance.now(). */
  dueMs = 0;
  startedMs = 0;
  /** The last byte was given to the kernel; 0 until then. */
  sentMs = 0;
  firstByteMs = 0;
  endedMs = 0;
  /** Why there is no answer; '' where there is one. */
  problem = '';
  isBusy = false;
  protected isClosed = false;
  readonly #events: LaneEvents;
  #rest: NodeJS.Timeout | undefined;

  constructor(events: LaneEvents) {
    this.#events = events;
  }

  /** Of the answer; 200 is good, whatever the protocol calls it, and 0 that there is none. */
  abstract get status(): number;
  /** The words of a refusal, or their beginning. */
  abstract get text(): string;
  /** Rejects where nobody listens. */
  abstract open(): Promise<void>;
  protected abstract write(request: WireRequest): void;
  /** Ends the connection, if there is one; the next request opens another. */
  protected abstract drop(): void;

  send(request: WireRequest, dueMs: number): void {
    this.isBusy = true;
    this.problem = '';
    this.firstByteMs = 0;
    this.sentMs = 0;
    this.dueMs = dueMs;
    this.startedMs = performance.now();
    this.write(request);
  }

  /** Gives the request that is under way up. */
  abandon(reason: string): void {
    this.lose(new Error(reason));
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.#rest);
    this.drop();
  }

  protected settle(nowMs: number): void {
    this.endedMs = nowMs;
    // An answer that comes before the request is out, as refusals do.
    if (this.sentMs === 0) this.sentMs = this.firstByteMs;
    this.isBusy = false;
    this.#events.onSettled(this);
    if (!this.isClosed) this.#events.onFree(this);
  }

  protected lose(fault: Error): void {
    this.drop();
    if (!this.isBusy || this.isClosed) return;
    this.isBusy = false;
    this.endedMs = performance.now();
    this.problem = fault.message === '' ? String((fault as NodeJS.ErrnoException).code) : fault.message;
    this.#events.onSettled(this);
    this.#rest = setTimeout(() => this.#events.onFree(this), restMs);
  }
}
