import type { SharedMemory } from '../native/shared-memory.ts';

/** Bodies begin at multiples of this. */
const unitBytes = 64 * 1024;

/** What vector loads like best, and what ONNX Runtime aligns its own memory to. */
const alignmentBytes = 64;

/** One body may have this share of the memory; larger ones travel over the socket. */
const largestShare = 1 / 4;

/**
 * Memory that bodies of requests are read into by a router and read in place by the backends of its host: each body in
 * one piece. A place is given to the next body once nobody holds it: neither who reads the body from its client, nor a
 * backend that it was lent to.
 */
export class SharedBodies {
  readonly path: string;
  readonly bytes: Buffer;
  /** Of each unit the body that has it. */
  readonly #units: (SharedBody | undefined)[];

  constructor({ path, bytes }: SharedMemory) {
    this.path = path;
    this.bytes = bytes;
    this.#units = Array.from({ length: Math.floor(bytes.byteLength / unitBytes) });
  }

  get usedBytes(): number {
    return this.#units.reduce((sum, unit) => sum + (unit === undefined ? 0 : unitBytes), 0);
  }

  /**
   * A place for so many bytes, so that what follows the first `headBytes` of them is aligned; held once. Undefined where
   * there is none.
   */
  take(byteLength: number, headBytes: number): SharedBody | undefined {
    const shift = -headBytes & (alignmentBytes - 1);
    const count = Math.ceil((shift + byteLength) / unitBytes);
    if (count > this.#units.length * largestShare) return undefined;
    const first = this.#firstFree(count);
    if (first === undefined) return undefined;
    const offset = first * unitBytes + shift;
    const body = new SharedBody(this.bytes.subarray(offset, offset + byteLength), offset, () =>
      this.#units.fill(undefined, first, first + count),
    );
    this.#units.fill(body, first, first + count);
    return body;
  }

  /** The body that `piece` is part of; undefined where it lies elsewhere. */
  find(piece: Uint8Array): SharedBody | undefined {
    return piece.buffer === this.bytes.buffer ? this.#units[Math.floor(this.offsetOf(piece) / unitBytes)] : undefined;
  }

  offsetOf(piece: Uint8Array): number {
    return piece.byteOffset - this.bytes.byteOffset;
  }

  /** The lowest: what was used last is used again, and the rest of the memory is never touched. */
  #firstFree(count: number): number | undefined {
    let free = 0;
    for (let at = 0; at < this.#units.length; at++) {
      free = this.#units[at] === undefined ? free + 1 : 0;
      if (free === count) return at - count + 1;
    }
    return undefined;
  }
}

/** The place of one body. */
export class SharedBody {
  readonly bytes: Buffer;
  /** In the memory. */
  readonly offset: number;
  readonly #onFree: () => void;
  #holds = 1;
  #loans = 0;

  constructor(bytes: Buffer, offset: number, onFree: () => void) {
    this.bytes = bytes;
    this.offset = offset;
    this.#onFree = onFree;
  }

  /** How often it was lent. */
  get loans(): number {
    return this.#loans;
  }

  lend(): void {
    this.#loans++;
    this.#holds++;
  }

  release(): void {
    this.#holds--;
    if (this.#holds === 0) this.#onFree();
  }
}
