/** What one slab holds: a large body takes few of them, and a slow client does not tie up much. */
export const slabBytes = 256 * 1024;

/**
 * Buffers that large bodies are read into, used again and again: fresh memory costs a page fault for every 4 KiB, and the
 * collector is kept busy by what is thrown away. Whoever gives one back swears that nobody reads it any more; one that is
 * not given back is left to the collector.
 */
export class SlabPool {
  readonly #limitBytes: number;
  readonly #free: Buffer[] = [];

  /** Keeps at most so much for later. */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get keptBytes(): number {
    return this.#free.length * slabBytes;
  }

  /** A slab with whatever was in it before. */
  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(slabBytes);
  }

  giveBack(slab: Buffer): void {
    if (this.keptBytes + slabBytes <= this.#limitBytes) this.#free.push(slab);
  }
}
