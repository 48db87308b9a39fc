import { type SlabPool, slabBytes } from './slab-pool.ts';
import type { ReadTarget } from './socket-reads.ts';

/** A socket reads about so much at once; with less room a new slab is begun. */
const smallestReadBytes = 64 * 1024;

/** A hold on the bytes that were just read: until it is let go nothing else is read into their place. */
export interface SlabHold {
  /** `isSpent`: nobody reads them any more. Otherwise somebody may, at any time, and their slab is not used again. */
  release(isSpent: boolean): void;
}

/** What lies in slabs that it holds, each of them once. */
export interface SlabHolder {
  holds: SlabHold[] | undefined;
}

/** Lets go of all that it holds. */
export function releaseHolds(holder: SlabHolder, isSpent: boolean): void {
  const { holds } = holder;
  if (holds === undefined) return;
  holder.holds = undefined;
  for (const hold of holds) hold.release(isSpent);
}

/**
 * Reads a stream into slabs, one behind the other, and hands on what came as views of them. Nobody has to keep these
 * views: then the next bytes are read into the same place. Who does takes a hold.
 */
export class SlabReads implements ReadTarget {
  readonly #pool: SlabPool;
  readonly #onChunk: (chunk: Buffer) => void;
  #slab: Slab | undefined;
  #used = 0;

  constructor(pool: SlabPool, onChunk: (chunk: Buffer) => void) {
    this.#pool = pool;
    this.#onChunk = onChunk;
  }

  nextBuffer(): Buffer {
    if (slabBytes - this.#used < smallestReadBytes) this.end();
    this.#slab ??= new Slab(this.#pool);
    return this.#used === 0 ? this.#slab.bytes : this.#slab.bytes.subarray(this.#used);
  }

  /** Nothing more is read into this slab, for now or at all. */
  end(): void {
    this.#slab?.retire();
    this.#slab = undefined;
    this.#used = 0;
  }

  onRead(buffer: Buffer, bytes: number): void {
    this.#used += bytes;
    this.#onChunk(buffer.subarray(0, bytes));
    if (this.#slab?.isFree === true) this.#used = 0;
  }

  /** On the chunk that is being handed on. */
  hold(): SlabHold {
    return this.#slab!.hold();
  }

  /** Whether that hold, which was not let go yet, is on the chunk that is being handed on, too. */
  isUnder(hold: SlabHold): boolean {
    return this.#slab === hold;
  }
}

class Slab implements SlabHold {
  readonly bytes: Buffer;
  readonly #pool: SlabPool;
  #holds = 0;
  #isLost = false;
  #isRetired = false;

  constructor(pool: SlabPool) {
    this.#pool = pool;
    this.bytes = pool.take();
  }

  get isFree(): boolean {
    return this.#holds === 0 && !this.#isLost;
  }

  hold(): SlabHold {
    this.#holds++;
    return this;
  }

  release(isSpent: boolean): void {
    this.#holds--;
    if (!isSpent) this.#isLost = true;
    this.#giveBackIfFree();
  }

  /** Nothing more is read into it. */
  retire(): void {
    this.#isRetired = true;
    this.#giveBackIfFree();
  }

  #giveBackIfFree(): void {
    if (this.#isRetired && this.isFree) this.#pool.giveBack(this.bytes);
  }
}
