import type { Hash } from 'node:crypto';
import { createHash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { SkeinError } from '../../protocol/errors.ts';
import { type DiskCache, partialKey } from './disk-cache.ts';
import { hashFile } from './file-hash.ts';

/** Room for a file of unknown size is taken in such steps. */
const stepBytes = 8 * 1024 * 1024;

/** A file while it is fetched: its bytes on disk, their hash so far, and the room that was taken for it in the cache. */
export class PartialFile {
  readonly sha256: string;
  readonly #cache: DiskCache;
  readonly #handle: FileHandle;
  #hash: Hash;
  #bytes: number;

  private constructor(sha256: string, cache: DiskCache, handle: FileHandle, hash: Hash, bytes: number) {
    this.sha256 = sha256;
    this.#cache = cache;
    this.#handle = handle;
    this.#hash = hash;
    this.#bytes = bytes;
  }

  /** Takes up what an earlier download left. Holds its place in the cache until it is closed or committed. */
  static async open(sha256: string, cache: DiskCache): Promise<PartialFile> {
    const [key, path] = [partialKey(sha256), cache.pathOf(partialKey(sha256))];
    cache.index.put(key, cache.index.bytesOf(key));
    cache.index.hold(key);
    try {
      const handle = await open(path, 'a+');
      const { size } = await handle.stat();
      const hash = size === 0 ? createHash('sha256') : await hashFile(path);
      cache.index.put(key, size);
      return new PartialFile(sha256, cache, handle, hash, size);
    } catch (fault) {
      cache.index.release(key);
      throw diskFault(fault);
    }
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes room for the whole file. Throws `source_cache_full`. */
  async expect(totalBytes: number): Promise<void> {
    const key = partialKey(this.sha256);
    if (totalBytes <= this.#cache.index.bytesOf(key)) return;
    if (await this.#cache.reserve(key, totalBytes)) return;
    throw new SkeinError('source_cache_full', { bytes: totalBytes, limit: this.#cache.index.limitBytes });
  }

  async write(chunk: Uint8Array): Promise<void> {
    const end = this.#bytes + chunk.byteLength;
    if (end > this.#cache.index.bytesOf(partialKey(this.sha256))) await this.expect(end + stepBytes);
    await this.#append(chunk);
    this.#hash.update(chunk);
    this.#bytes = end;
  }

  /** Begins anew: what is here is not of this file. */
  async restart(): Promise<void> {
    await this.#handle.truncate(0).catch((fault) => Promise.reject(diskFault(fault)));
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /** The digest of what is here; more may come. */
  digest(): string {
    return this.#hash.copy().digest('hex');
  }

  /** Keeps it as a file of the cache, held. On disk before it bears its name: a power cut must not leave half of it. */
  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      this.#cache.index.put(partialKey(this.sha256), this.#bytes);
      await this.#cache.commit(this.sha256);
    } catch (fault) {
      throw diskFault(fault);
    }
  }

  /** Leaves it for a later download. */
  async close(): Promise<void> {
    await this.#handle.close();
    const key = partialKey(this.sha256);
    this.#cache.index.put(key, this.#bytes);
    this.#cache.index.release(key);
    if (this.#bytes === 0) await this.#cache.remove(key);
  }

  /** The whole chunk, or nothing of it that counts. */
  async #append(chunk: Uint8Array): Promise<void> {
    for (let done = 0; done < chunk.byteLength; ) {
      try {
        done += (await this.#handle.write(chunk, done)).bytesWritten;
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC' || !(await this.#cache.giveOneUp()))
          throw diskFault(fault);
      }
    }
  }
}

function diskFault(fault: unknown): unknown {
  const { code, message } = fault as NodeJS.ErrnoException;
  if (fault instanceof SkeinError || code === undefined) return fault;
  return new SkeinError('source_disk', { reason: message }, { cause: fault });
}
