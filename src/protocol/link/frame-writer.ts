import type { Writable } from 'node:stream';
import { FrameType, flagEnd, headerBytes, maxDataBytes, writeHeader } from './frame.ts';

/** Bytes that may lie in the socket's queue before bulk bodies wait their turn; control frames never wait. */
const bulkWatermarkBytes = 256 * 1024;

interface Bulk {
  readonly stream: number;
  readonly pieces: Uint8Array[];
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
  readonly #streams = new Map<number, Bulk>();
  #ready: Bulk[] = [];
  #corked = false;
  #blocked = false;

  constructor(socket: Writable, initialCredit: number) {
    this.#socket = socket;
    this.#initialCredit = initialCredit;
    socket.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
  }

  /** Bytes of bodies that wait here for credit or for the socket. */
  get waitingStreams(): number {
    return this.#streams.size;
  }

  control(bytes: Uint8Array): void {
    this.#cork();
    this.#socket.write(bytes);
  }

  /** Adds a piece of a stream's body, and ends it where `end`. An empty last piece is legal. */
  body(stream: number, piece: Uint8Array, end: boolean): void {
    let bulk = this.#streams.get(stream);
    // The common case: a whole small body, no bookkeeping.
    if (bulk === undefined && end && piece.byteLength <= maxDataBytes && !this.#blocked) {
      this.#cork();
      this.#writeData(stream, piece, true);
      return;
    }
    if (bulk === undefined) {
      bulk = { stream, pieces: [], offset: 0, ended: false, allowed: this.#initialCredit, queued: false };
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
    return bulk !== undefined && bulk.pieces.length > 0;
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
    const bulk = this.#streams.get(stream);
    if (bulk === undefined) return;
    bulk.pieces.length = 0;
    bulk.allowed = 0;
    this.#streams.delete(stream);
  }

  #enqueue(bulk: Bulk): void {
    if (bulk.queued || !this.#canSend(bulk)) return;
    bulk.queued = true;
    this.#ready.push(bulk);
  }

  #canSend(bulk: Bulk): boolean {
    return bulk.pieces.length > 0 ? bulk.allowed > 0 : bulk.ended;
  }

  #pump(): void {
    let ready = this.#ready;
    while (ready.length > 0 && !this.#blocked) {
      this.#ready = [];
      for (const bulk of ready) {
        bulk.queued = false;
        if (!this.#blocked) this.#sendOne(bulk);
        this.#enqueue(bulk);
      }
      ready = this.#ready;
    }
  }

  /** One data frame of one stream: its turn. */
  #sendOne(bulk: Bulk): void {
    if (this.#streams.get(bulk.stream) !== bulk) return; // dropped
    const piece = bulk.pieces[0];
    this.#cork();
    if (piece === undefined) {
      if (!bulk.ended) return;
      this.#streams.delete(bulk.stream);
      this.#writeData(bulk.stream, new Uint8Array(0), true);
      return;
    }
    const length = Math.min(maxDataBytes, piece.byteLength - bulk.offset, bulk.allowed);
    const slice = piece.subarray(bulk.offset, bulk.offset + length);
    bulk.offset += length;
    bulk.allowed -= length;
    if (bulk.offset === piece.byteLength) {
      bulk.pieces.shift();
      bulk.offset = 0;
    }
    const end = bulk.ended && bulk.pieces.length === 0;
    if (end) this.#streams.delete(bulk.stream);
    this.#writeData(bulk.stream, slice, end);
  }

  #writeData(stream: number, piece: Uint8Array, end: boolean): void {
    const header = Buffer.allocUnsafe(headerBytes);
    writeHeader(header, piece.byteLength, stream, FrameType.data, end ? flagEnd : 0);
    this.#socket.write(header);
    if (piece.byteLength > 0) this.#socket.write(piece);
    if (this.#socket.writableLength > bulkWatermarkBytes) this.#blocked = true;
  }

  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    setImmediate(() => {
      this.#corked = false;
      this.#socket.uncork();
      // 'drain' comes only where a write went over the socket's own mark; below it nothing is to be waited for.
      if (this.#blocked && !this.#socket.writableNeedDrain) {
        this.#blocked = false;
        this.#pump();
      }
    });
  }
}
