import { readFile } from 'node:fs/promises';
import { posix } from 'node:path';
import { SkeinError } from '../../protocol/errors.ts';
import type { Peer } from '../../protocol/link/messages.ts';
import { type CachedPiece, type DiskCache, fileKey } from './disk-cache.ts';
import type { FileFetcher, WantedFile } from './file-fetcher.ts';
import { filesOfVersion, mostManifestBytes, parseManifest, type SourceFile } from './manifest.ts';
import { type ModelSource, singleFileName } from './model-source.ts';
import type { SourceCounts, SourceFigures } from './source-figures.ts';
import { type SourceGate, shown } from './source-gate.ts';

/** Files of one version of a model, on this machine's disk for as long as they are held. */
export interface FileLease {
  /** The model's directory, laid out as in a repository. */
  readonly directory: string;
  /** `doubt`: they could not be loaded. Then they are read again, and what is not what it should be is thrown away. */
  release(doubt?: boolean): Promise<void>;
}

/** Of all files that a load waits for. */
export interface FetchProgress {
  readonly doneBytes: number;
  /** As far as it is known: grows as files are begun. */
  readonly totalBytes: number;
}

/** Brings models here from where their entries say. */
export class ModelFetcher {
  readonly #cache: DiskCache;
  readonly #files: FileFetcher;
  readonly #gate: SourceGate;
  readonly #counts: SourceCounts;

  constructor(parts: { cache: DiskCache; files: FileFetcher; gate: SourceGate; counts: SourceCounts }) {
    this.#cache = parts.cache;
    this.#files = parts.files;
    this.#gate = parts.gate;
    this.#counts = parts.counts;
  }

  /** Rejects with a `source_…` error, `digest_mismatch`, or `cancelled`. */
  async acquire(
    source: ModelSource,
    version: number,
    onProgress: (progress: FetchProgress) => void,
    peers: readonly Peer[] = [],
  ): Promise<FileLease> {
    const url = new URL(source.url);
    // What is in the cache already may have come under rules that no longer hold.
    this.#gate.check(url);
    const held: string[] = [];
    try {
      const files = await this.#filesOf({ url, sha256: source.sha256, peers }, version, held);
      await this.#holdAll({ url, peers }, files, held, onProgress);
      const directory = await this.#cache.layOut(files);
      return { directory, release: (doubt = false) => this.#release(directory, held, doubt) };
    } catch (fault) {
      for (const sha256 of held) this.#cache.index.release(fileKey(sha256));
      throw asDiskFault(fault);
    }
  }

  /** For peers that want a file of this machine: a part of it; undefined where it is not here. */
  async piece(sha256: string, offsetBytes: number, mostBytes: number): Promise<CachedPiece | undefined> {
    const piece = await this.#cache.read(sha256, offsetBytes, mostBytes);
    this.#counts.offeredBytes += piece?.bytes.byteLength ?? 0;
    return piece;
  }

  figures(): SourceFigures {
    const { usedBytes, limitBytes, size } = this.#cache.index;
    return { ...this.#counts, cacheBytes: usedBytes, cacheLimitBytes: limitBytes, cacheFiles: size };
  }

  close(): void {
    this.#files.close();
  }

  async #filesOf(wanted: WantedFile, version: number, held: string[]): Promise<readonly SourceFile[]> {
    const { url, sha256 } = wanted;
    const single = singleFileName(url.href);
    if (single !== undefined) return [{ path: `${version}/${single}`, sha256 }];
    await this.#files.hold(wanted, () => {});
    held.push(sha256);
    const key = fileKey(sha256);
    if (this.#cache.index.bytesOf(key) > mostManifestBytes)
      throw unreadable(url, `it is larger than ${mostManifestBytes} bytes`);
    const read = parseManifest(
      await readFile(this.#cache.pathOf(key), 'utf8'),
      posix.basename(decodeURIComponent(url.pathname)),
    );
    if ('fault' in read) throw unreadable(url, read.fault);
    const files = filesOfVersion(read, version);
    if (files.some(({ path }) => path.startsWith(`${version}/`))) return files;
    throw unreadable(url, `it names no file of version ${version}`);
  }

  async #holdAll(
    { url, peers }: Pick<WantedFile, 'url' | 'peers'>,
    files: readonly SourceFile[],
    held: string[],
    onProgress: (progress: FetchProgress) => void,
  ): Promise<void> {
    const states = files.map(() => ({ done: 0, total: 0 }));
    const tell = () => {
      const doneBytes = states.reduce((sum, { done }) => sum + done, 0);
      onProgress({ doneBytes, totalBytes: states.reduce((sum, { done, total }) => sum + Math.max(done, total), 0) });
    };
    const all = files.map(async ({ path, sha256 }, i) => {
      await this.#files.hold({ url: fileUrl(url, path, files), sha256, peers }, (done, total = 0) => {
        states[i] = { done, total };
        tell();
      });
      held.push(sha256);
    });
    // All of them settle first: what came although another did not is released, too.
    const failed = (await Promise.allSettled(all)).find(({ status }) => status === 'rejected');
    if (failed !== undefined) throw (failed as PromiseRejectedResult).reason;
  }

  async #release(directory: string, held: readonly string[], doubt: boolean): Promise<void> {
    await this.#cache.clear(directory);
    if (doubt) for (const sha256 of new Set(held)) await this.#cache.verify(sha256);
    for (const sha256 of held) this.#cache.index.release(fileKey(sha256));
  }
}

/** A single file is the URL itself; files of a list lie beside it. */
function fileUrl(url: URL, path: string, files: readonly SourceFile[]): URL {
  if (files.length === 1 && singleFileName(url.href) !== undefined) return url;
  return new URL(path.split('/').map(encodeURIComponent).join('/'), url);
}

function unreadable(url: URL, reason: string): SkeinError {
  return new SkeinError('source_malformed', { url: shown(url), reason });
}

function asDiskFault(fault: unknown): unknown {
  const { code, message } = fault as NodeJS.ErrnoException;
  if (fault instanceof SkeinError || code === undefined) return fault;
  return new SkeinError('source_disk', { reason: message }, { cause: fault });
}
