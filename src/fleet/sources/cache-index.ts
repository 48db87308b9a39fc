interface Entry {
  bytes: number;
  /** So many hold it at the moment: it is loaded, or being written. */
  holds: number;
}

/**
 * What lies in the cache, and what goes when room is wanted: the least recently used that nobody holds.
 *
 * Invariant: `usedBytes` is the sum of all entries; only `fit` says what may go, and never what is held.
 */
export class CacheIndex {
  readonly limitBytes: number;
  /** Least recently used first. */
  readonly #entries = new Map<string, Entry>();
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  has(key: string): boolean {
    return this.#entries.has(key);
  }

  bytesOf(key: string): number {
    return this.#entries.get(key)?.bytes ?? 0;
  }

  isHeld(key: string): boolean {
    return (this.#entries.get(key)?.holds ?? 0) > 0;
  }

  /** Sets the size of an entry, new or not; the most recently used one now. */
  put(key: string, bytes: number): void {
    const entry = this.#entries.get(key) ?? { bytes: 0, holds: 0 };
    this.#usedBytes += bytes - entry.bytes;
    entry.bytes = bytes;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
  }

  hold(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) throw new Error(`'${key}' is not in the cache`);
    entry.holds++;
    this.put(key, entry.bytes);
  }

  /** What was thrown away while it was held has nothing left to release. */
  release(key: string): void {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.holds === 0) return;
    entry.holds--;
    this.put(key, entry.bytes);
  }

  remove(key: string): void {
    this.#usedBytes -= this.bytesOf(key);
    this.#entries.delete(key);
  }

  /** What must go so that `bytes` more fit, in that order, `kept` left alone; undefined where they cannot, whatever goes. */
  fit(bytes: number, kept = ''): readonly string[] | undefined {
    let missing = this.#usedBytes + bytes - this.limitBytes;
    const going: string[] = [];
    for (const [key, entry] of this.#entries) {
      if (missing <= 0) break;
      if (entry.holds > 0 || key === kept) continue;
      going.push(key);
      missing -= entry.bytes;
    }
    return missing <= 0 ? going : undefined;
  }

  /** The next to go, whatever the limit is: for a disk that is full before the cache is. */
  next(): string | undefined {
    for (const [key, entry] of this.#entries) if (entry.holds === 0) return key;
    return undefined;
  }
}
