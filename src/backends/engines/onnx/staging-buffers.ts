/**
 * Buffers that a run's inputs are gathered in. A fresh 600 kB buffer costs a system call and 147 page faults, each time;
 * these are used again. Sizes are powers of two; what is kept is bounded, the rest is left to the collector.
 */
export class StagingBuffers {
  readonly #limitBytes: number;
  readonly #free = new Map<number, ArrayBuffer[]>();
  #keptBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get keptBytes(): number {
    return this.#keptBytes;
  }

  /** At least so many bytes, with whatever was in them before. */
  take(byteLength: number): ArrayBuffer {
    const size = sizeClass(byteLength);
    const found = this.#free.get(size)?.pop();
    if (found === undefined) return new ArrayBuffer(size);
    this.#keptBytes -= size;
    return found;
  }

  /** Nobody reads the buffer any more. */
  giveBack(buffer: ArrayBuffer): void {
    const size = buffer.byteLength;
    if (this.#keptBytes + size > this.#limitBytes) return;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
    this.#keptBytes += size;
  }
}

/** Over 64 bytes, so that V8 keeps the buffer outside its own heap, where the collector does not move it. */
const smallestBytes = 128;

function sizeClass(byteLength: number): number {
  return byteLength <= smallestBytes ? smallestBytes : 2 ** Math.ceil(Math.log2(byteLength));
}
