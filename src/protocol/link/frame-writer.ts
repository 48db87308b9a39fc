import type { Writable } from 'node:stream';
import { FrameType, flagEnd, headerBytes, maxDataBytes, writeHeader } from './frame.ts';
import { NumberedTable } from './numbered-table.ts';

/** Frames of one turn gather in pieces of this size; payloads up to `copiedBytes` are copied into them. */
const gatheredBytes = 16 * 1024;
const copiedBytes = 2 * 1024;

/** Bytes that may lie in the socket's queue before bulk bodies wait their turn; control frames never wait. */
const bulkWatermarkBytes = 256 * 1024;

interface Bulk {
  readonly stream: number;
  /** Those before `next` are sent; of that one, `offset` bytes. */
  readonly pieces: Uint8Array[];
  next: number;
  offset: number;
  ended: boolean;
  allowed: number;
  queued: boolean;
}

/**
 * Writes frames to a socket: everything of one turn of the event loop in one system call, bodies piece by piece in
 * turns, each stream within the credit that its receiver gave.
 *
 * A body that waits for credit or for the socket is held as the views it was handed in; nothing is copied.
 */
export class FrameWriter {
  readonly #socket: Writable;
  readonly #initialCredit: number;
  /** Bodies up to this size need no credit beyond the first, and no second piece. */
  readonly #smallBytes: number;
  readonly #onCaughtUp: (stream: number) => void;
  readonly #streams = new NumberedTable<Bulk>();
  #ready: Bulk[] = [];
  #corked = false;
  #blocked = false;
  /** Small frames of this turn, from `#gatheredFrom` on not yet handed to the socket. */
  #gathered = noBuffer;
  #gatheredFrom = 0;
  #gatheredTo = 0;

  /**
   * `onCaughtUp` is told when a stream has sent all it was handed: its source may go on, or it has ended. Not told of
   * bodies that went out whole at once.
   */
  constructor(socket: Writable, initialCredit: number, onCaughtUp: (stream: number) => void) {
    this.#socket = socket;
    this.#initialCredit = initialCredit;
    this.#smallBytes = Math.min(initialCredit, maxDataBytes);
    this.#onCaughtUp = onCaughtUp;
    socket.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
  }

  /** Bodies that have begun and not ended, or wait for credit or for the socket. */
  get openStreams(): number {
    return this.#streams.size;
  }

  /** Any frame but those of bodies. */
  control(type: FrameType, stream: number, payload: Uint8Array | undefined, flags: number): void {
    this.#cork();
    this.#writeFrame(type, stream, payload ?? nothing, flags);
  }

  /** A whole body in parts. A small one is one frame. */
  wholeBody(stream: number, parts: readonly Uint8Array[], byteLength: number): void {
    const last = parts.length - 1;
    const isSmall =
      byteLength <= Math.min(copiedBytes, this.#smallBytes) && !this.#blocked && !this.#streams.has(stream);
    if (!isSmall || last === 0) {
      for (let i = 0; i <= last; i++) this.body(stream, parts[i]!, i === last);
      return;
    }
    this.#cork();
    this.#makeRoom(headerBytes + byteLength);
    writeHeader(this.#gathered, this.#gatheredTo, byteLength, stream, FrameType.data, flagEnd);
    this.#gatheredTo += headerBytes;
    for (const part of parts) {
      this.#gathered.set(part, this.#gatheredTo);
      this.#gatheredTo += part.byteLength;
    }
    this.#noteWritten();
  }

  /** Adds a piece of a stream's body, and ends it where `end`. An empty last piece is legal. */
  body(stream: number, piece: Uint8Array, end: boolean): void {
    let bulk = this.#streams.get(stream);
    // The common case: a whole small body, no bookkeeping.
    if (bulk === undefined && end && piece.byteLength <= this.#smallBytes && !this.#blocked) {
      this.#cork();
      this.#writeData(stream, piece, true);
      return;
    }
    if (bulk === undefined) {
      bulk = { stream, pieces: [], next: 0, offset: 0, ended: false, allowed: this.#initialCredit, queued: false };
      this.#streams.set(stream, bulk);
    }
    if (piece.byteLength > 0) bulk.pieces.push(piece);
    if (end) bulk.ended = true;
    this.#enqueue(bulk);
    this.#pump();
  }

  /** True while a stream has pieces that its receiver has not allowed or the socket not taken: stop reading its source. */
  isBehind(stream: number): boolean {
    const bulk = this.#streams.get(stream);
    return bulk !== undefined && bulk.next < bulk.pieces.length;
  }

  credit(stream: number, bytes: number): void {
    const bulk = this.#streams.get(stream);
    if (bulk === undefined) return; // ended meanwhile
    bulk.allowed += bytes;
    this.#enqueue(bulk);
    this.#pump();
  }

  /** Forgets what a cancelled or failed stream still had to send. */
  drop(stream: number): void {
    this.#streams.delete(stream);
  }

  /** Forgets everything that waits: the socket takes no more. */
  stop(): void {
    this.#streams.clear();
    this.#ready = [];
    // What was said before the end is still sent.
    if (this.#socket.writable) this.#flushGathered();
    this.#gatheredFrom = this.#gatheredTo;
  }

  /** True while a body has begun and its last piece has not been written. */
  isSending(stream: number): boolean {
    return this.#streams.has(stream);
  }

  #enqueue(bulk: Bulk): void {
    // A stream that has ended or was dropped is not in the map any more.
    if (bulk.queued || this.#streams.get(bulk.stream) !== bulk || !this.#canSend(bulk)) return;
    bulk.queued = true;
    this.#ready.push(bulk);
  }

  #canSend(bulk: Bulk): boolean {
    return bulk.next < bulk.pieces.length ? bulk.allowed > 0 : bulk.ended;
  }

  #pump(): void {
    while (this.#ready.length > 0 && !this.#blocked) {
      const round = this.#ready;
      this.#ready = [];
      for (let i = 0; i < round.length; i++) {
        if (this.#blocked) {
          // Who had no turn in this round comes first in the next, or a few large bodies would keep the others out.
          this.#ready = [...round.slice(i), ...this.#ready];
          return;
        }
        const bulk = round[i]!;
        bulk.queued = false;
        this.#sendOne(bulk);
        this.#enqueue(bulk);
      }
    }
  }

  /** One data frame of one stream: its turn. */
  #sendOne(bulk: Bulk): void {
    if (this.#streams.get(bulk.stream) !== bulk) return; // dropped
    const piece = bulk.pieces[bulk.next];
    this.#cork();
    if (piece === undefined) {
      if (!bulk.ended) return;
      this.#streams.delete(bulk.stream);
      this.#writeData(bulk.stream, nothing, true);
      this.#onCaughtUp(bulk.stream);
      return;
    }
    const length = Math.min(maxDataBytes, piece.byteLength - bulk.offset, bulk.allowed);
    const slice = piece.subarray(bulk.offset, bulk.offset + length);
    bulk.offset += length;
    bulk.allowed -= length;
    if (bulk.offset === piece.byteLength) dropFirst(bulk);
    const isCaughtUp = bulk.pieces.length === 0;
    const end = bulk.ended && isCaughtUp;
    if (end) this.#streams.delete(bulk.stream);
    this.#writeData(bulk.stream, slice, end);
    if (isCaughtUp) this.#onCaughtUp(bulk.stream);
  }

  #writeData(stream: number, piece: Uint8Array, end: boolean): void {
    this.#writeFrame(FrameType.data, stream, piece, end ? flagEnd : 0);
    this.#noteWritten();
  }

  #noteWritten(): void {
    if (this.#socket.writableLength > bulkWatermarkBytes) this.#blocked = true;
  }

  #writeFrame(type: FrameType, stream: number, payload: Uint8Array, flags: number): void {
    const { byteLength } = payload;
    const isCopied = byteLength <= copiedBytes;
    const room = headerBytes + (isCopied ? byteLength : 0);
    this.#makeRoom(room);
    writeHeader(this.#gathered, this.#gatheredTo, byteLength, stream, type, flags);
    if (isCopied) this.#gathered.set(payload, this.#gatheredTo + headerBytes);
    this.#gatheredTo += room;
    if (isCopied) return;
    this.#flushGathered();
    this.#socket.write(payload);
  }

  #makeRoom(bytes: number): void {
    if (this.#gathered.length - this.#gatheredTo >= bytes) return;
    this.#flushGathered();
    this.#gathered = Buffer.allocUnsafeSlow(gatheredBytes);
    this.#gatheredFrom = 0;
    this.#gatheredTo = 0;
  }

  #flushGathered(): void {
    if (this.#gatheredTo === this.#gatheredFrom) return;
    this.#socket.write(this.#gathered.subarray(this.#gatheredFrom, this.#gatheredTo));
    this.#gatheredFrom = this.#gatheredTo;
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#flushGathered();
      this.#socket.uncork();
      // 'drain' comes only where a write went over the socket's own mark; below it nothing is to be waited for.
      if (this.#blocked && !this.#socket.writableNeedDrain) {
        this.#blocked = false;
        this.#pump();
      }
    });
  }
}

/** Counted on rather than shifted: a body in very many pieces would be moved as often as it has pieces. */
function dropFirst(bulk: Bulk): void {
  bulk.pieces[bulk.next] = nothing;
  bulk.next += 1;
  bulk.offset = 0;
  if (bulk.next < bulk.pieces.length) return;
  bulk.pieces.length = 0;
  bulk.next = 0;
}

const nothing = new Uint8Array(0);
const noBuffer = Buffer.alloc(0);
