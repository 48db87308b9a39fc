import { SkeinError } from '../../protocol/errors.ts';
import type { Peer } from '../../protocol/link/messages.ts';
import { type DiskCache, fileKey } from './disk-cache.ts';
import { download, type Offer } from './download.ts';
import type { FileReader, PeerFiles } from './file-reader.ts';
import { PartialFile } from './partial-file.ts';
import { Slots } from './slots.ts';
import type { SourceCounts } from './source-figures.ts';
import { shown } from './source-gate.ts';

interface FileFetcherOptions {
  readonly cache: DiskCache;
  /** By the scheme of the URL, colon included. */
  readonly readers: Readonly<Record<string, FileReader>>;
  readonly peers: PeerFiles;
  /** Downloads at once. */
  readonly concurrency: number;
  readonly counts: SourceCounts;
}

/** A file that somebody wants, and who may have it beside its source. */
export interface WantedFile {
  readonly url: URL;
  readonly sha256: string;
  readonly peers: readonly Peer[];
}

/** Bytes of one file that are here, and how many there will be; undefined until somebody has said. */
type OnFileProgress = (doneBytes: number, totalBytes: number | undefined) => void;

interface UnderWay {
  readonly done: Promise<void>;
  readonly listeners: OnFileProgress[];
}

/** Brings single files into the cache, each once however many want it. */
export class FileFetcher {
  readonly #options: FileFetcherOptions;
  readonly #slots: Slots;
  readonly #underWay = new Map<string, UnderWay>();
  readonly #closing = new AbortController();

  constructor(options: FileFetcherOptions) {
    this.#options = options;
    this.#slots = new Slots(options.concurrency);
  }

  /**
   * Resolves when the file of that digest is in the cache, where one more holds it then: the caller, who releases it.
   * Rejects with a `source_…` error.
   */
  async hold(wanted: WantedFile, onProgress: OnFileProgress): Promise<void> {
    const { cache, counts } = this.#options;
    const { sha256 } = wanted;
    const key = fileKey(sha256);
    while (!cache.index.has(key)) {
      const underWay = this.#underWay.get(sha256) ?? this.#begin(wanted);
      underWay.listeners.push(onProgress);
      await underWay.done;
      if (!cache.index.has(key)) continue; // it went before this one's turn came
      cache.index.hold(key);
      return;
    }
    counts.hits++;
    cache.index.hold(key);
    onProgress(cache.index.bytesOf(key), cache.index.bytesOf(key));
  }

  /** Ends what is under way; what is here of it stays for later. */
  close(): void {
    this.#closing.abort();
  }

  #begin(wanted: WantedFile): UnderWay {
    const { sha256 } = wanted;
    const { counts, cache } = this.#options;
    const listeners: OnFileProgress[] = [];
    counts.underWay++;
    const done = this.#slots
      .run(() => this.#fetch(wanted, (...progress) => listeners.forEach((listener) => void listener(...progress))))
      .finally(() => {
        counts.underWay--;
        this.#underWay.delete(sha256);
      })
      // Whoever waited has taken hold of it by then.
      .then(() => void setImmediate(() => cache.index.release(fileKey(sha256))));
    const underWay = { done, listeners };
    this.#underWay.set(sha256, underWay);
    return underWay;
  }

  async #fetch(wanted: WantedFile, onProgress: OnFileProgress): Promise<void> {
    const { url, sha256 } = wanted;
    const { cache, counts } = this.#options;
    const { signal } = this.#closing;
    try {
      if (signal.aborted) throw new SkeinError('cancelled');
      const file = await PartialFile.open(sha256, cache);
      try {
        const { from, resumed } = await download(file, this.#offers(wanted), {
          name: shown(url),
          signal,
          onProgress,
        });
        counts.fetched++;
        counts.fetchedBytes += file.bytes;
        if (from === 'peer') counts.fromPeers++;
        if (resumed) counts.resumed++;
      } catch (fault) {
        await file.close();
        throw fault;
      }
      await file.commit();
    } catch (fault) {
      const error = SkeinError.from(fault);
      counts.failed++;
      if (error.code === 'digest_mismatch') counts.mismatched++;
      throw error;
    }
  }

  #offers({ url, sha256, peers: among }: WantedFile): Offer[] {
    const { peers, readers } = this.#options;
    const reader = readers[url.protocol];
    const source: Offer[] =
      reader === undefined ? [] : [{ from: 'source', open: (offset, signal) => reader.open(url, offset, signal) }];
    if (among.length === 0) return source;
    return [{ from: 'peer', open: (offset, signal) => peers.open(among, sha256, offset, signal) }, ...source];
  }
}
