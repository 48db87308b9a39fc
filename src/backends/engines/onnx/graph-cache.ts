import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, statfs, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Optimised graphs on disk, with their weights in a file of their own that sessions map: later loads read no weights, and
 * processes share the pages (ResNet-50: 14-36 ms instead of 165-353, 31 MB of its own instead of 120).
 *
 * An entry is a directory named by what it was made from. It is written under another name and renamed, so a reader sees
 * all of it or nothing; two writers make the same entry and one rename wins. Files are never changed after that. What
 * does not look as it was written (a length, a time) is thrown away and made again.
 */

/** Raise when the files of an entry or their meaning change. */
const formatVersion = 3;

export const graphName = 'graph.onnx';
export const weightsName = 'weights.bin';
const factsName = 'facts.json';

/** What was measured when the entry was made. */
export interface CacheFacts {
  /** Taken from the allocator when the graph was loaded from this entry: prepacked weights and small tensors. */
  readonly allocatedBytes: number;
  /** Of the weights' file, in memory after a run. */
  readonly mappedBytes: number;
  /** Memory of one run: `fixedBytes + rows * rowBytes`; undefined where shapes are too free to try. */
  readonly run: { readonly fixedBytes: number; readonly rowBytes: number } | undefined;
}

interface StoredFacts extends CacheFacts {
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly mtimeMs: number }>>;
}

export interface CacheEntry {
  readonly directory: string;
  readonly graph: string;
  readonly graphBytes: number;
  readonly facts: CacheFacts;
}

/**
 * Of what is free under the bound, one process writes so much before it looks through all entries again: with thousands of
 * them that takes longer than to make one. Other processes write here, too, and are not seen meanwhile.
 */
const unseenShare = 1 / 16;

/** It cannot be read for what this process lacks, which says nothing of it: others may use it meanwhile. */
const ofThisProcess = new Set(['EMFILE', 'ENFILE', 'ENOMEM']);

/** Of an entry beside its graph and weights: facts, notes, directories. */
const besideBytes = 64 * 1024;

export class GraphCache {
  readonly #root: string;
  readonly #limitBytes: number;
  readonly #freeBytes: (directory: string) => Promise<number>;
  #unseenBytes = 0;

  /** `freeBytes`: of the file system that a directory is on. */
  constructor(root: string, limitBytes: number, freeBytes = freeBytesOf) {
    this.#root = root;
    this.#limitBytes = limitBytes;
    this.#freeBytes = freeBytes;
  }

  /** The entry's name: everything that makes an optimised graph another one. */
  static key(modelDigest: string, runtimeVersion: string): string {
    return createHash('sha256')
      .update(`${formatVersion}\n${modelDigest}\n${runtimeVersion}\n${cpuIdentity()}`)
      .digest('hex')
      .slice(0, 40);
  }

  /**
   * The entry, or undefined where there is none, it cannot be read now, or it is not as it was written; that one is removed.
   */
  async open(key: string): Promise<CacheEntry | undefined> {
    const directory = join(this.#root, key);
    let facts: StoredFacts;
    try {
      facts = readFacts(await readFile(join(directory, factsName), 'utf8'));
      for (const [name, written] of Object.entries(facts.files)) {
        const found = await stat(join(directory, name));
        if (found.size !== written.bytes || found.mtimeMs !== written.mtimeMs) throw new Error(`${name} changed`);
      }
    } catch (fault) {
      const code = (fault as NodeJS.ErrnoException).code ?? '';
      if (ofThisProcess.has(code) || (code === 'ENOENT' && !(await exists(directory)))) return undefined;
      await this.#discard(directory);
      return undefined;
    }
    const now = new Date();
    await utimes(directory, now, now).catch(() => {}); // least recently used goes first
    return { directory, graph: join(directory, graphName), graphBytes: facts.files[graphName]!.bytes, facts };
  }

  /** Throws an entry away that turned out not to be what it says. */
  async remove(key: string): Promise<void> {
    await this.#discard(join(this.#root, key));
  }

  /**
   * Whether the disk takes an entry for a model of so many bytes. To find that out by writing one costs a load of its own.
   * Where it cannot be asked, to write says more.
   */
  async hasRoom(modelBytes: number): Promise<boolean> {
    const freeBytes = await this.#freeBytes(this.#root).catch(() => Infinity);
    return freeBytes >= modelBytes + besideBytes;
  }

  /** A fresh directory beside the entries to write one into. Throws where the disk does not take it. */
  async begin(): Promise<string> {
    const directory = join(this.#root, `writing-${process.pid}-${randomBytes(6).toString('hex')}`);
    await mkdir(directory, { recursive: true });
    return directory;
  }

  /** Makes what was written into `directory` the entry `key`. Another process may have been first: then that one stays. */
  async commit(directory: string, key: string, facts: CacheFacts): Promise<void> {
    const files: Record<string, { bytes: number; mtimeMs: number }> = {};
    for (const name of await readdir(directory)) {
      const { size, mtimeMs } = await stat(join(directory, name));
      files[name] = { bytes: size, mtimeMs };
    }
    await writeFile(join(directory, factsName), JSON.stringify({ ...facts, files } satisfies StoredFacts));
    try {
      await rename(directory, join(this.#root, key));
    } catch (fault) {
      const { code } = fault as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw fault;
      await this.abandon(directory);
    }
    this.#unseenBytes -= Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);
    if (this.#unseenBytes < 0) await this.#trim(key);
  }

  /** What cannot be removed now is swept by a later start. */
  async abandon(directory: string): Promise<void> {
    await rm(directory, { recursive: true, force: true }).catch(() => {});
  }

  /** Removes what writers left behind that are no more. Call once, at the start. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      const pid = /^(?:writing|removing)-(\d+)-/.exec(name)?.[1];
      if (pid !== undefined && !isAlive(Number(pid))) await this.abandon(join(this.#root, name));
    }
  }

  /** Keeps the directory under its bound. A mapped file that is removed stays readable to whoever mapped it. */
  async #trim(justWritten: string): Promise<void> {
    const entries: { name: string; bytes: number; usedMs: number }[] = [];
    for (const name of await readdir(this.#root)) {
      if (name.includes('-')) continue;
      const directory = join(this.#root, name);
      const found = await Promise.all([stat(directory), directoryBytes(directory)]).catch(() => undefined);
      if (found !== undefined) entries.push({ name, bytes: found[1], usedMs: found[0].mtimeMs });
    }
    let total = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    for (const entry of entries.sort((a, b) => a.usedMs - b.usedMs)) {
      if (total <= this.#limitBytes) break;
      if (entry.name === justWritten) continue;
      await this.#discard(join(this.#root, entry.name));
      total -= entry.bytes;
    }
    this.#unseenBytes = unseenShare * (this.#limitBytes - total);
  }

  /** Renamed first: a reader that comes meanwhile finds no entry rather than half of one. */
  async #discard(directory: string): Promise<void> {
    const aside = join(this.#root, `removing-${process.pid}-${randomBytes(6).toString('hex')}`);
    await rename(directory, aside).catch(() => {});
    await this.abandon(aside);
  }
}

async function freeBytesOf(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize;
}

/** Throws on what is not the facts of an entry, whatever it is. */
function readFacts(text: string): StoredFacts {
  const { files, allocatedBytes, mappedBytes, run } = JSON.parse(text) as StoredFacts;
  const numbers = [allocatedBytes, mappedBytes, ...(run === undefined ? [] : [run.fixedBytes, run.rowBytes])];
  if (files[graphName] === undefined || !numbers.every(Number.isFinite)) throw new Error('not the facts of an entry');
  return { files, allocatedBytes, mappedBytes, run };
}

async function directoryBytes(directory: string): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(directory)).map(async (name) => (await stat(join(directory, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
}

let identity: string | undefined;

/** Graphs are laid out for the vector instructions of the processor they were made on. */
function cpuIdentity(): string {
  identity ??= `${process.arch} ${readCpuFlags()}`;
  return identity;
}

function readCpuFlags(): string {
  try {
    const info = readFileSync('/proc/cpuinfo', 'utf8');
    return /^(?:flags|Features)\s*:\s*(.*)$/m.exec(info)?.[1]?.split(' ').sort().join(' ') ?? '';
  } catch {
    return ''; // not Linux: the architecture alone
  }
}
