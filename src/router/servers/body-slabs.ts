import type { SharedBodies, SharedBody } from '../../protocol/reads/shared-bodies.ts';
import { type SlabPool, slabBytes } from '../../protocol/reads/slab-pool.ts';

/** With less room left than this a new slab is taken: each read is a system call. */
const smallestReadBytes = 32 * 1024;

/** Who was sent a body rather than lent it may still have pieces to write when it is given up, but not for so long. */
const doubtMs = 60_000;

/** Where the body of one request is read to: a place in shared memory, or slabs where there is none. */
export class BodySlabs {
  readonly #pool: SlabPool;
  readonly #bodies: SharedBodies | undefined;
  #slabs: Buffer[] = [];
  #shared: SharedBody | undefined;
  /** Bytes that are taken: of the shared place, else of the last slab. */
  #used = slabBytes;

  constructor(pool: SlabPool, bodies?: SharedBodies) {
    this.#pool = pool;
    this.#bodies = bodies;
  }

  /** A body of so many bytes comes, of which the first `headBytes` are no tensor. */
  begin(bytes: number, headBytes: number): void {
    this.#shared = this.#bodies?.take(bytes, headBytes);
    if (this.#shared !== undefined) this.#used = 0;
  }

  /** Where to read at most so many bytes of the body to. */
  room(mostBytes: number): Buffer {
    if (this.#shared !== undefined) return this.#shared.bytes.subarray(this.#used, this.#used + mostBytes);
    const left = slabBytes - this.#used;
    if (left < Math.min(mostBytes, smallestReadBytes)) {
      this.#slabs.push(this.#pool.take());
      this.#used = 0;
    }
    return this.#slabs.at(-1)!.subarray(this.#used, Math.min(slabBytes, this.#used + mostBytes));
  }

  /** So many bytes of the room were filled. */
  fill(bytes: number): void {
    this.#used += bytes;
  }

  /** A copy of a piece that lies elsewhere; it must fit a slab. */
  keep(piece: Uint8Array): Buffer {
    if (this.#shared === undefined && slabBytes - this.#used < piece.byteLength) this.#used = slabBytes;
    const kept = this.room(piece.byteLength);
    kept.set(piece);
    this.#used += piece.byteLength;
    return kept;
  }

  /** The body is more than may be kept: slabs that are full are left to whoever still reads them, and to the collector. */
  forgetFull(): void {
    if (this.#slabs.length > 1) this.#slabs = this.#slabs.slice(-1);
  }

  /**
   * The body is no more. `isSpent`: nobody reads it any more, so that others may be read into its place. What was lent to
   * all of its `sinks` is free once they have done with it.
   */
  release(isSpent: boolean, sinks = 0): void {
    if (this.#shared !== undefined) {
      const shared = this.#shared;
      if (isSpent || shared.loans === sinks) shared.release();
      else setTimeout(() => shared.release(), doubtMs).unref();
      this.#shared = undefined;
    }
    if (isSpent) for (const slab of this.#slabs) this.#pool.giveBack(slab);
    if (this.#slabs.length > 0) this.#slabs = [];
    this.#used = slabBytes;
  }
}
