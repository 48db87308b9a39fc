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
 * legal payload; each byte of a control frame is copied at most once, bytes of a body never.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** An incomplete header, or the collected chunks of an incomplete control payload. */
  #held: Buffer[] = [];
  #heldBytes = 0;
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
    if (this.#heldBytes === 0 && chunk.length - offset >= headerBytes) {
      this.#begin(chunk, offset);
      return offset + headerBytes;
    }
    const take = Math.min(headerBytes - this.#heldBytes, chunk.length - offset);
    this.#hold(chunk.subarray(offset, offset + take));
    if (this.#heldBytes === headerBytes) this.#begin(this.#release(), 0);
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
    const piece = take === 0 ? empty : chunk.subarray(offset, offset + take);
    if (this.#type === FrameType.data) {
      if (this.#remaining === 0) this.#inPayload = false;
      this.#sink.onData(this.#stream, piece, this.#remaining === 0 && (this.#flags & flagEnd) !== 0);
    } else if (this.#remaining === 0) {
      this.#inPayload = false;
      let payload = piece;
      if (this.#heldBytes > 0) {
        this.#hold(piece);
        payload = this.#release();
      }
      this.#sink.onFrame(this.#type, this.#stream, this.#flags, payload);
    } else if (take > 0) {
      this.#hold(piece);
    }
    return offset + take;
  }

  #hold(piece: Buffer): void {
    this.#held.push(piece);
    this.#heldBytes += piece.length;
  }

  #release(): Buffer {
    const joined = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
    return joined;
  }
}
