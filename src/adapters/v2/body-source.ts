import type { BodySink, RequestBody } from '../request-body.ts';

/** Bytes that wait here for the socket before the client is asked to pause. */
const highWaterBytes = 256 * 1024;

/** A body up to this size is joined and goes out in one write with its headers. */
const joinedBytes = 64 * 1024;

const atEnd: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * A request's body as undici takes one: an iterable that hands out the client's own pieces, in the pace of the socket.
 *
 * Invariant: `#queuedBytes` is the size of `#queue`, and the source is asked to resume when it falls below the mark.
 */
export class BodySource implements BodySink, AsyncIterableIterator<Uint8Array, undefined> {
  readonly #body: RequestBody;
  readonly #onClientGone: () => void;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #closed = false;
  #waiting: ((result: IteratorResult<Uint8Array, undefined>) => void) | undefined;

  /** `onClientGone` is called where the client goes away before the end. */
  constructor(body: RequestBody, onClientGone: () => void) {
    this.#body = body;
    this.#onClientGone = onClientGone;
  }

  /** Takes what is here of the body and what comes; `onClientGone` may be called before this returns. */
  open(): void {
    this.#body.attach(this);
  }

  /** All of the body has come, and undici has it. */
  get isTaken(): boolean {
    return this.#ended && !this.#closed && this.#queue.length === 0;
  }

  /** What to hand to undici: the bytes themselves where all are here and few, else this iterable. */
  takeOutgoing(): Uint8Array | BodySource {
    if (!this.#ended || (this.#queue.length > 1 && this.#queuedBytes > joinedBytes)) return this;
    const whole = this.#queue.length === 1 ? this.#queue[0]! : Buffer.concat(this.#queue, this.#queuedBytes);
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    return whole;
  }

  onPiece(piece: Uint8Array, end: boolean): boolean {
    if (this.#ended) return true;
    this.#ended = end;
    if (this.#waiting !== undefined && piece.byteLength > 0) {
      this.#answer({ done: false, value: piece });
    } else if (piece.byteLength > 0) {
      this.#queue.push(piece);
      this.#queuedBytes += piece.byteLength;
    }
    if (end && this.#queue.length === 0) this.#answer(atEnd);
    return this.#queuedBytes < highWaterBytes;
  }

  onAborted(): void {
    this.close();
    this.#onClientGone();
  }

  /** Nobody takes the rest: the body is free for another try, and whoever waits for a piece is let go. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#ended = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    this.#body.detach();
    // What was paused here for a slow server must not stay paused for the next one; the body keeps its own bounds.
    this.#body.resume();
    this.#answer(atEnd);
  }

  next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const piece = this.#queue.shift();
    if (piece === undefined) {
      if (this.#ended) return Promise.resolve(atEnd);
      return new Promise((resolve) => {
        this.#waiting = resolve;
      });
    }
    this.#queuedBytes -= piece.byteLength;
    if (this.#queuedBytes < highWaterBytes) this.#body.resume();
    return Promise.resolve({ done: false, value: piece });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #answer(result: IteratorResult<Uint8Array, undefined>): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.(result);
  }
}
