import { link, mkdir, open, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { CacheIndex } from './cache-index.ts';
import { hashFile } from './file-hash.ts';
import type { SourceFile } from './manifest.ts';

/** A part of a file of the cache, and the size of the whole. */
export interface CachedPiece {
  readonly sizeBytes: number;
  readonly bytes: Buffer;
}

/**
 * Files of models on this machine's disk, within a bound, by content:
 *
 *   files/<SHA-256>        verified, never changed
 *   partial/<SHA-256>      begun; a later download goes on from there
 *   models/<number>/files  hard links, laid out as a model's directory, for as long as a copy needs them
 *
 * One process owns it. What is held is never removed; the least recently used goes first, across restarts too, by the
 * time stamps of the files.
 */
export class DiskCache {
  readonly index: CacheIndex;
  readonly #root: string;
  readonly #onEvicted: () => void;
  /** Removals under way: the same file may come again meanwhile. */
  readonly #erasing = new Map<string, Promise<void>>();
  #nextModel = 1;

  private constructor(root: string, limitBytes: number, onEvicted: () => void) {
    this.#root = root;
    this.index = new CacheIndex(limitBytes);
    this.#onEvicted = onEvicted;
  }

  /** Takes up what an earlier process left. Throws `state_unusable`. */
  static async open(root: string, limitBytes: number, onEvicted: () => void = () => {}): Promise<DiskCache> {
    const cache = new DiskCache(root, limitBytes, onEvicted);
    try {
      await rm(join(root, 'models'), { recursive: true, force: true });
      for (const folder of ['files', 'partial', 'models']) await mkdir(join(root, folder), { recursive: true });
      await cache.#takeUp();
      await cache.reserve('', 0);
    } catch (fault) {
      throw new SkeinError('state_unusable', { path: root, reason: (fault as Error).message }, { cause: fault });
    }
    return cache;
  }

  pathOf(key: string): string {
    return join(this.#root, key);
  }

  /** Gives `key` room for `totalBytes`; the least recently used goes for it. False where that cannot be. */
  async reserve(key: string, totalBytes: number): Promise<boolean> {
    const going = this.index.fit(Math.max(0, totalBytes - this.index.bytesOf(key)), key);
    if (going === undefined) return false;
    // Accounted for before anything is awaited: two who ask at once must not count on the same room.
    for (const gone of going) this.index.remove(gone);
    if (totalBytes > 0) this.index.put(key, totalBytes);
    await Promise.all(going.map((gone) => this.#erase(gone)));
    return true;
  }

  /** Removes one more file than the bound asks for: the disk is full. False where all that is left is held. */
  async giveOneUp(): Promise<boolean> {
    const key = this.index.next();
    if (key === undefined) return false;
    await this.remove(key);
    return true;
  }

  /** A partial file that is whole and verified becomes a file. The hold on it goes over. */
  async commit(sha256: string): Promise<void> {
    const [from, to] = [partialKey(sha256), fileKey(sha256)];
    await this.#erasing.get(to);
    await rename(this.pathOf(from), this.pathOf(to));
    const bytes = this.index.bytesOf(from);
    this.index.release(from);
    this.index.remove(from);
    this.index.put(to, bytes);
    this.index.hold(to);
  }

  /** Lays files, all of them here and held, out as a model's directory; returns it. */
  async layOut(files: readonly SourceFile[]): Promise<string> {
    // One more level: links that lead out of the directory that a model lies in must not lead to another model.
    const directory = join(this.#root, 'models', String(this.#nextModel++), 'files');
    const folders = new Set(files.map(({ path }) => dirname(join(directory, path))));
    for (const folder of folders) await mkdir(folder, { recursive: true });
    const now = new Date();
    for (const { path, sha256 } of files) {
      const file = this.pathOf(fileKey(sha256));
      await utimes(file, now, now);
      await link(file, join(directory, path));
    }
    return directory;
  }

  async clear(directory: string): Promise<void> {
    await rm(dirname(directory), { recursive: true, force: true });
  }

  /** Reads the file again. One that is not what it is named for is removed, held or not; says whether it was well. */
  async verify(sha256: string): Promise<boolean> {
    const key = fileKey(sha256);
    const hash = await hashFile(this.pathOf(key)).catch(() => undefined);
    if (hash?.digest('hex') === sha256) return true;
    await this.remove(key);
    return false;
  }

  async remove(key: string): Promise<void> {
    this.index.remove(key);
    await this.#erase(key);
  }

  /** A part of a file that is here; undefined where it is not, or ends before. */
  async read(sha256: string, offsetBytes: number, mostBytes: number): Promise<CachedPiece | undefined> {
    const key = fileKey(sha256);
    const sizeBytes = this.index.bytesOf(key);
    if (!this.index.has(key) || !(offsetBytes >= 0 && offsetBytes <= sizeBytes)) return undefined;
    const handle = await open(this.pathOf(key)).catch(() => undefined); // it may go at any time
    if (handle === undefined) return undefined;
    try {
      const bytes = Buffer.allocUnsafe(Math.min(mostBytes, sizeBytes - offsetBytes));
      const { bytesRead } = await handle.read(bytes, 0, bytes.byteLength, offsetBytes);
      return { sizeBytes, bytes: bytes.subarray(0, bytesRead) };
    } finally {
      await handle.close();
    }
  }

  async #takeUp(): Promise<void> {
    const found: { key: string; bytes: number; usedMs: number }[] = [];
    for (const folder of ['files', 'partial']) {
      for (const name of await readdir(join(this.#root, folder))) {
        const key = `${folder}/${name}`;
        if (!/^[0-9a-f]{64}$/.test(name)) {
          await rm(this.pathOf(key), { recursive: true, force: true });
          continue;
        }
        const { size, mtimeMs } = await stat(this.pathOf(key));
        found.push({ key, bytes: size, usedMs: mtimeMs });
      }
    }
    for (const { key, bytes } of found.sort((a, b) => a.usedMs - b.usedMs)) this.index.put(key, bytes);
  }

  async #erase(key: string): Promise<void> {
    if (key.startsWith('files/')) this.#onEvicted();
    const erasing = rm(this.pathOf(key), { force: true }).finally(() => this.#erasing.delete(key));
    this.#erasing.set(key, erasing);
    await erasing;
  }
}

export function fileKey(sha256: string): string {
  return `files/${sha256}`;
}

export function partialKey(sha256: string): string {
  return `partial/${sha256}`;
}
