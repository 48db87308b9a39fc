/** Bodies that took less together leave nothing that would be missed. */
const worthBytes = 32 * 1024 * 1024;

/** A peak that comes again within so many looks is the usual traffic: its memory is about to be taken again. */
const quietLooks = 15;

/**
 * When the C heap is to give back what bodies have left in it. The C library keeps the pages of freed blocks, 300 MB after
 * 16 bodies of 16 MB, and nothing but the next unload would return them.
 */
export class HeapLeftovers {
  #mostBytes = 0;
  #quiet = 0;

  /** To be asked once a second, with the most that bodies held since the last one. True: give back now. */
  look(mostBytes: number): boolean {
    this.#mostBytes = Math.max(this.#mostBytes, mostBytes);
    this.#quiet = mostBytes > this.#mostBytes / 4 ? 0 : this.#quiet + 1;
    if (this.#mostBytes < worthBytes || this.#quiet < quietLooks) return false;
    this.#mostBytes = mostBytes;
    this.#quiet = 0;
    return true;
  }
}
