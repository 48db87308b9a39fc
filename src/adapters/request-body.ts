/** Takes a body's pieces in order. Returning false asks the source to pause until `resume` is called. */
export interface BodySink {
  onPiece(piece: Uint8Array, end: boolean): boolean;
  onAborted(): void;
}

/** Bytes of request bodies that all requests of a process may keep for a second try. */
export interface RetentionPool {
  usedBytes: number;
  readonly limitBytes: number;
  /** Largest body that is kept. */
  readonly perRequestBytes: number;
}

/**
 * A request's body on its way through the router: pieces come from the client as they come, go to whoever serves the
 * request, and are kept within bounds so that the request can be sent again elsewhere.
 *
 * Invariant: while `isReplayable`, `pieces` are all pieces since the start; after that, only those not yet taken by a sink.
 */
export class RequestBody {
  readonly totalBytes: number | undefined;
  readonly #pool: RetentionPool;
  readonly #flow: { pause(): void; resume(): void };
  #pieces: Uint8Array[] = [];
  #retainedBytes = 0;
  #receivedBytes = 0;
  #ended = false;
  #aborted = false;
  #taken = 0;
  #sink: BodySink | undefined;
  #paused = false;
  #released = false;

  /** `flow` pauses and resumes the source; `totalBytes` is undefined for a body of unknown length. */
  constructor(totalBytes: number | undefined, pool: RetentionPool, flow: { pause(): void; resume(): void }) {
    this.totalBytes = totalBytes;
    this.#pool = pool;
    this.#flow = flow;
  }

  /** Whether every piece since the start is still here: the body may be attached to another sink. */
  get isReplayable(): boolean {
    return !this.#released && this.#receivedBytes === this.#retainedBytes;
  }

  get isComplete(): boolean {
    return this.#ended;
  }

  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** The pieces kept so far; all of the body where it is complete and replayable. */
  get pieces(): readonly Uint8Array[] {
    return this.#pieces;
  }

  push(piece: Uint8Array): void {
    if (this.#aborted || piece.byteLength === 0) return;
    this.#receivedBytes += piece.byteLength;
    this.#pieces.push(piece);
    this.#retainedBytes += piece.byteLength;
    this.#pool.usedBytes += piece.byteLength;
    if (this.#sink !== undefined) this.#forward();
    else this.#pauseWhileUnread();
  }

  /** The source has no more. */
  end(): void {
    if (this.#aborted || this.#ended) return;
    this.#ended = true;
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
    this.#sink = sink;
    this.#taken = 0;
    if (this.#aborted) sink.onAborted();
    else this.#forward();
  }

  /** The sink failed: what comes from now on is kept for the next one. */
  detach(): void {
    this.#sink = undefined;
  }

  /** The sink can take more. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#flow.resume();
  }

  /** Gives back what is kept: the request is answered. */
  release(): void {
    this.#pool.usedBytes -= this.#retainedBytes;
    this.#retainedBytes = 0;
    this.#pieces = [];
    this.#sink = undefined;
    this.#released = true;
    this.resume();
  }

  #forward(): void {
    const pieces = this.#pieces;
    while (this.#sink !== undefined && this.#taken < pieces.length) {
      const piece = pieces[this.#taken++]!;
      const last = this.#ended && this.#taken === pieces.length;
      if (!this.#sink.onPiece(piece, last)) this.#pause();
      if (last) return;
    }
    // The end came after the last piece was handed on, or the body is empty.
    if (this.#ended && this.#sink !== undefined) this.#sink.onPiece(nothing, true);
    if (this.#mustForget()) this.#forgetTaken();
  }

  #mustForget(): boolean {
    return this.#receivedBytes > this.#pool.perRequestBytes || this.#pool.usedBytes > this.#pool.limitBytes;
  }

  #forgetTaken(): void {
    let bytes = 0;
    for (let i = 0; i < this.#taken; i++) bytes += this.#pieces[i]!.byteLength;
    this.#pieces.splice(0, this.#taken);
    this.#taken = 0;
    this.#retainedBytes -= bytes;
    this.#pool.usedBytes -= bytes;
  }

  /** Nobody takes the body yet: hold what is allowed, then let the client wait. */
  #pauseWhileUnread(): void {
    if (this.#mustForget()) this.#pause();
  }

  #pause(): void {
    if (this.#paused || this.#ended) return;
    this.#paused = true;
    this.#flow.pause();
  }
}

const nothing = new Uint8Array(0);
