import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import { ExternalDataFinder } from './external-data.ts';
import { isAbsent } from './file-stamp.ts';
import { mapBounded } from './map-bounded.ts';

interface FileDigest {
  readonly sha256: string;
  /** External data files that an ONNX model names, relative to it. */
  readonly external: readonly string[];
}

/** Small enough that hashing one does not hold the event loop up for a millisecond. */
const chunkBytes = 256 * 1024;
const mostCached = 20_000;
const concurrency = 2;

/**
 * Content digests of models, for caches that outlive a file's name and time: equal digests, equal bytes.
 *
 * A file is read again only when its size, time or inode has changed; the least recently used are forgotten.
 */
export class ModelDigests {
  readonly #known = new Map<string, FileDigest>();

  /**
   * SHA-256 of a model file; with external data, or for a model that is a directory, of the listing of all its files and
   * theirs. `path` is what locateModelFile gave.
   */
  async digest(path: string, signal?: AbortSignal): Promise<string> {
    const { isDirectory } = await lookAtFile(path);
    const base = isDirectory ? await realpath(path) : dirname(path);
    const files = isDirectory ? await filesUnder(base) : await this.#withExternal(path, signal);
    if (!isDirectory && files.length === 1) return (await this.#file(path, signal)).sha256;
    const lines = await mapBounded(files, concurrency, async (file) => {
      return `${(await this.#file(file, signal)).sha256}  ${relative(base, file)}\n`;
    });
    return createHash('sha256').update(lines.join('')).digest('hex');
  }

  /** The model first. What a model names outside its own directory is no data of it: engines refuse that, too. */
  async #withExternal(path: string, signal: AbortSignal | undefined): Promise<string[]> {
    const { external } = await this.#file(path, signal);
    const directory = dirname(path);
    const files = [path];
    for (const name of external) {
      const file = resolve(directory, name);
      if (file.startsWith(directory + sep) && file !== path && (await isFile(file))) files.push(file);
    }
    return [...new Set(files)];
  }

  async #file(path: string, signal: AbortSignal | undefined): Promise<FileDigest> {
    const before = await lookAtFile(path);
    const key = `${before.stamp} ${path}`;
    const known = this.#known.get(key);
    if (known !== undefined) {
      this.#known.delete(key);
      this.#known.set(key, known);
      return known;
    }
    const found = await hashFile(path, signal);
    // A file that was written to meanwhile has a digest of neither state.
    if ((await lookAtFile(path)).stamp !== before.stamp) throw unreadable(path, 'it changed while it was read');
    this.#known.set(key, found);
    if (this.#known.size > mostCached) this.#known.delete(this.#known.keys().next().value as string);
    return found;
  }
}

async function hashFile(path: string, signal: AbortSignal | undefined): Promise<FileDigest> {
  const hash = createHash('sha256');
  const finder = path.endsWith('.ort') ? undefined : new ExternalDataFinder();
  try {
    const stream = createReadStream(path, { highWaterMark: chunkBytes, ...(signal !== undefined && { signal }) });
    for await (const chunk of stream as AsyncIterable<Buffer>) {
      hash.update(chunk);
      finder?.push(chunk);
    }
  } catch (fault) {
    if (signal?.aborted) throw new SkeinError('cancelled', {}, { cause: fault });
    throw unreadable(path, (fault as Error).message);
  }
  return { sha256: hash.digest('hex'), external: finder?.paths ?? [] };
}

async function lookAtFile(path: string): Promise<{ stamp: string; isDirectory: boolean }> {
  try {
    const stats = await stat(path, { bigint: true });
    return { stamp: `${stats.size}.${stats.mtimeNs}.${stats.ino}`, isDirectory: stats.isDirectory() };
  } catch (fault) {
    throw unreadable(path, (fault as Error).message);
  }
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (fault) {
    if (isAbsent(fault)) return false;
    throw unreadable(path, (fault as Error).message);
  }
}

/** Every file of a directory and below, in the order of their paths. */
async function filesUnder(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

function unreadable(path: string, reason: string): SkeinError {
  return new SkeinError('repository_unreadable', { path, reason });
}
