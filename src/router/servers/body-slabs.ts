import { type SlabPool, slabBytes } from '../../protocol/reads/slab-pool.ts';

/** With less room left than this a new slab is taken: each read is a system call. */
const smallestReadBytes = 32 * 1024;

/** The slabs that hold the body of one request. */
export class BodySlabs {
  readonly #pool: SlabPool;
  #slabs: Buffer[] = [];
  /** Bytes of the last slab that are taken. */
  #used = slabBytes;

  constructor(pool: SlabPool) {
    this.#pool = pool;
  }

  /** Where to read at most so many bytes of the body to. */
  room(mostBytes: number): Buffer {
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
    if (slabBytes - this.#used < piece.byteLength) this.#used = slabBytes;
    const kept = this.room(piece.byteLength);
    kept.set(piece);
    this.#used += piece.byteLength;
    return kept;
  }

  /** The body is no more. `isSpent`: nobody reads it any more, so that others may be read into its place. */
  release(isSpent: boolean): void {
    if (this.#slabs.length === 0) return;
    if (isSpent) for (const slab of this.#slabs) this.#pool.giveBack(slab);
    this.#slabs = [];
    this.#used = slabBytes;
  }
}
