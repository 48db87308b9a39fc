import { FrameType, flagEnd, headerBytes, payloadLimit } from './frame.ts';

/** What a reader tells of: whole control frames, and body pieces as they come, never joined. */
export interface FrameSink {
  onFrame(type: number, stream: number, flags: number, payload: Buffer): void;
  onData(stream: number, piece: Buffer, end: boolean): void;
}

/** A peer broke a rule of the link. The message says which, for the log and the goodbye. */
export class LinkRuleBroken extends Error {
  override readonly name = 'LinkRuleBroken';
}

const empty = Buffer.alloc(0);

/**
 * Cuts a byte stream into frames. Sans IO: it is handed chunks and calls its sink. Memory is bounded by the largest
 * legal payload, however small the chunks are; each byte of a control frame is copied at most once, bytes of a body
 * never.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #header = Buffer.alloc(headerBytes);
  #headerFilled = 0;
  /** A control payload that is not all there, in a buffer of its announced size: pages not written to take no memory. */
  #payload: Buffer | undefined;
  #payloadFilled = 0;
  #remaining = 0;
  #type = 0;
  #flags = 0;
  #stream = 0;
  #inPayload = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Throws LinkRuleBroken; after that the reader must not be used again. */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length || (this.#inPayload && this.#remaining === 0)) {
      offset = this.#inPayload ? this.#readPayload(chunk, offset) : this.#readHeader(chunk, offset);
    }
  }

  #readHeader(chunk: Buffer, offset: number): number {
    if (this.#headerFilled === 0 && chunk.length - offset >= headerBytes) {
      this.#begin(chunk, offset);
      return offset + headerBytes;
    }
    const take = chunk.copy(this.#header, this.#headerFilled, offset);
    this.#headerFilled += take;
    if (this.#headerFilled === headerBytes) {
      this.#headerFilled = 0;
      this.#begin(this.#header, 0);
    }
    return offset + take;
  }

  #begin(bytes: Buffer, at: number): void {
    const word = bytes.readUInt32LE(at + 8);
    this.#type = word & 0xff;
    this.#flags = (word >>> 8) & 0xff;
    this.#remaining = bytes.readUInt32LE(at);
    this.#stream = bytes.readUInt32LE(at + 4);
    const limit = payloadLimit[this.#type];
    if (limit === undefined) throw new LinkRuleBroken(`frame of unknown type ${this.#type}`);
    if (this.#remaining > limit) {
      throw new LinkRuleBroken(`frame of type ${this.#type} says ${this.#remaining} bytes, ${limit} are allowed`);
    }
    if (word >>> 16 !== 0 || this.#flags > flagEnd) throw new LinkRuleBroken(`reserved bits set in a frame header`);
    this.#inPayload = true;
  }

  #readPayload(chunk: Buffer, offset: number): number {
    const take = Math.min(this.#remaining, chunk.length - offset);
    this.#remaining -= take;
    const isWhole = this.#remaining === 0;
    const piece = take === 0 ? empty : chunk.subarray(offset, offset + take);
    if (isWhole) this.#inPayload = false;
    if (this.#type === FrameType.data) {
      this.#sink.onData(this.#stream, piece, isWhole && (this.#flags & flagEnd) !== 0);
    } else if (isWhole) {
      this.#sink.onFrame(this.#type, this.#stream, this.#flags, this.#joined(piece));
    } else if (take > 0) {
      this.#hold(piece);
    }
    return offset + take;
  }

  #hold(piece: Buffer): void {
    this.#payload ??= Buffer.allocUnsafe(piece.length + this.#remaining);
    this.#payload.set(piece, this.#payloadFilled);
    this.#payloadFilled += piece.length;
  }

  #joined(lastPiece: Buffer): Buffer {
    if (this.#payload === undefined) return lastPiece;
    this.#hold(lastPiece);
    const payload = this.#payload;
    this.#payload = undefined;
    this.#payloadFilled = 0;
    return payload;
  }
}
