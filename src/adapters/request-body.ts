/** Takes a body's pieces in order. Returning false asks the source to pause until `resume` is called. */
export interface BodySink {
  onPiece(piece: Uint8Array, end: boolean): boolean;
  onAborted(): void;
  /** It reads no piece any more that it was handed; left out: nobody knows. */
  readonly isSpent?: boolean;
}

/** Where a body comes from. */
export interface BodySource {
  pause(): void;
  resume(): void;
  /**
   * The pieces are kept no longer. `isSpent`: nobody reads them any more, so that their memory may be used again. `sinks`:
   * how many had them.
   */
  onReleased?(isSpent: boolean, sinks: number): void;
  /** Pieces that a sink has were let go of, and more of the body comes: it is more than may be kept. */
  onForgotten?(): void;
}

/** Bytes of request bodies that all requests of a process may keep for a second try, or until somebody takes them. */
export interface RetentionPool {
  usedBytes: number;
  readonly limitBytes: number;
  /** Largest body that is kept. */
  readonly perRequestBytes: number;
}

/** What a piece takes beside its bytes: a client that sends byte by byte costs more than its bytes. */
export const pieceOverheadBytes = 256;

/**
 * A request's body on its way through the router: pieces come from the client as they come, go to whoever serves the
 * request, and are kept within bounds so that the request can be sent again elsewhere.
 *
 * Invariants: while `isReplayable`, `pieces` are all pieces since the start; after that, only those not yet taken by a
 * sink. The source is paused while a sink is full, and while nobody takes what is already more than may be kept; at no
 * other time.
 */
export class RequestBody {
  readonly totalBytes: number | undefined;
  readonly #pool: RetentionPool;
  readonly #source: BodySource;
  #pieces: Uint8Array[] = [];
  /** Of `#pieces`, overhead included: this body's share of the pool. */
  #keptBytes = 0;
  #receivedBytes = 0;
  /** Those, with the overhead of all pieces. */
  #costBytes = 0;
  #ended = false;
  /** Some piece was let go of. */
  #isPartial = false;
  #aborted = false;
  #sink: BodySink | undefined;
  /** Of `#pieces`, those that the sink has. */
  #taken = 0;
  /** What it answered to the last of them. */
  #isSinkReady = true;
  #isEndTold = false;
  #paused = false;
  #released = false;
  #lastSink: BodySink | undefined;
  /** Those before it, which were given up. */
  #earlierSinks: BodySink[] | undefined;
  #isSpent = false;

  /** `totalBytes` is undefined for a body of unknown length. */
  constructor(totalBytes: number | undefined, pool: RetentionPool, source: BodySource) {
    this.totalBytes = totalBytes;
    this.#pool = pool;
    this.#source = source;
  }

  /** Whether every piece since the start is still here: the body may be attached to another sink. */
  get isReplayable(): boolean {
    return !this.#released && !this.#isPartial;
  }

  get isComplete(): boolean {
    return this.#ended;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** It, or all bodies together, are more than may be kept: what the sink has taken is let go of. */
  get isOverBound(): boolean {
    return this.#costBytes > this.#pool.perRequestBytes || this.#pool.usedBytes > this.#pool.limitBytes;
  }

  /** The pieces kept so far; all of the body where it is complete and replayable. */
  get pieces(): readonly Uint8Array[] {
    return this.#pieces;
  }

  /** Ignored once the request is answered or its client gone: nobody would take it. */
  push(piece: Uint8Array): void {
    if (this.#released || this.#ended || piece.byteLength === 0) return;
    const cost = piece.byteLength + pieceOverheadBytes;
    this.#receivedBytes += piece.byteLength;
    this.#costBytes += cost;
    this.#keptBytes += cost;
    this.#pool.usedBytes += cost;
    this.#pieces.push(piece);
    if (this.#sink !== undefined) this.#forward();
    else if (this.isOverBound) this.#pause();
  }

  /** The source has no more. */
  end(): void {
    if (this.#released || this.#ended) return;
    this.#ended = true;
    this.resume();
    if (this.#sink !== undefined) this.#forward();
  }

  /** The client went away, or the request is answered already. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    const sink = this.#sink;
    this.release();
    sink?.onAborted();
  }

  /** Replays from the start, then follows the source. Only one sink at a time; only while replayable. */
  attach(sink: BodySink): void {
    if (this.#released) {
      sink.onAborted();
      return;
    }
    if (this.#lastSink !== undefined) {
      this.#earlierSinks ??= [];
      this.#earlierSinks.push(this.#lastSink);
    }
    this.#sink = sink;
    this.#lastSink = sink;
    this.#taken = 0;
    this.#isSinkReady = true;
    this.#isEndTold = false;
    this.#forward();
  }

  /** The sink failed: what comes from now on is kept for the next one. */
  detach(): void {
    if (this.#sink === undefined) return;
    this.#sink = undefined;
    if (!this.isOverBound) this.resume();
  }

  /** The sink can take more. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#source.resume();
  }

  /**
   * Whoever answers says so where it had every byte before it answered. Where a sink before it may still be writing, the
   * pieces stay as they are.
   */
  markSpent(): void {
    this.#isSpent = this.#ended && (this.#earlierSinks?.every((sink) => sink.isSpent === true) ?? true);
  }

  /** Gives back what is kept: the request is answered. */
  release(): void {
    const isFirst = !this.#released;
    this.#pool.usedBytes -= this.#keptBytes;
    this.#keptBytes = 0;
    this.#pieces = [];
    this.#taken = 0;
    this.#sink = undefined;
    this.#released = true;
    this.resume();
    if (!isFirst) return;
    const sinks = this.#lastSink === undefined ? 0 : 1 + (this.#earlierSinks?.length ?? 0);
    this.#source.onReleased?.(this.#isSpent, sinks);
  }

  /**
   * From within `onPiece` a sink may detach itself, hand the body to another, or make the source go on at once: what
   * follows the call holds for whoever is the sink by then.
   */
  #forward(): void {
    const sink = this.#sink!;
    while (this.#sink === sink && this.#taken < this.#pieces.length) {
      const piece = this.#pieces[this.#taken++]!;
      const isLast = this.#ended && this.#taken === this.#pieces.length;
      this.#isEndTold = isLast;
      const isReady = sink.onPiece(piece, isLast);
      if (this.#sink !== sink) return;
      this.#isSinkReady = isReady;
    }
    // The end came after the last piece was handed on, or the body is empty.
    if (this.#ended && !this.#isEndTold) {
      this.#isEndTold = true;
      sink.onPiece(nothing, true);
    }
    if (this.#sink !== sink) return;
    if (this.isOverBound) this.#forgetTaken();
    if (this.#isSinkReady) this.resume();
    else this.#pause();
  }

  #forgetTaken(): void {
    let bytes = 0;
    for (let i = 0; i < this.#taken; i++) bytes += this.#pieces[i]!.byteLength + pieceOverheadBytes;
    if (bytes === 0) return;
    this.#isPartial = true;
    this.#pieces.splice(0, this.#taken);
    this.#taken = 0;
    this.#keptBytes -= bytes;
    this.#pool.usedBytes -= bytes;
    this.#source.onForgotten?.();
  }

  #pause(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.#source.pause();
  }
}

const nothing = new Uint8Array(0);
