import { setTimeout as delay } from 'node:timers/promises';
import { SkeinError } from '../../protocol/errors.ts';
import type { OpenFile } from './file-reader.ts';
import type { PartialFile } from './partial-file.ts';
import { mostFruitlessTries, retryDelayMs } from './retry-delay.ts';

/** Somewhere that a file may come from. */
export interface Offer {
  readonly from: 'source' | 'peer';
  /** Undefined where this place does not have it. */
  open(offsetBytes: number, signal: AbortSignal): Promise<OpenFile | undefined>;
}

interface DownloadOptions {
  /** For errors. */
  readonly name: string;
  readonly signal: AbortSignal;
  readonly onProgress: (doneBytes: number, totalBytes: number | undefined) => void;
  readonly random?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}

export interface Downloaded {
  readonly from: Offer['from'];
  readonly resumed: boolean;
}

/**
 * Brings a file here whole, from the first place that has it. A transfer that breaks off goes on where it was, as long as
 * each try brings something. What is whole and has another digest is thrown away; where a part of it was from before, it is
 * fetched once more from its beginning. The file is not committed. Rejects with the `source_…` error that was the last.
 */
export async function download(
  file: PartialFile,
  offers: readonly Offer[],
  options: DownloadOptions,
): Promise<Downloaded> {
  let resumed = file.bytes > 0;
  let mayBeStale = resumed;
  if (resumed && file.digest() === file.sha256) return { from: 'source', resumed };
  let lastFault: unknown;
  for (const offer of offers) {
    for (;;) {
      const outcome = await transferWhole(file, offer, options).catch((fault) => {
        // The last place decides; a disk that is full is full for every place.
        if (offer === offers.at(-1) || isOwnFault(fault)) throw fault;
        lastFault = fault;
        return undefined;
      });
      if (outcome === undefined) break;
      resumed ||= outcome.resumed;
      if (file.digest() === file.sha256) return { from: offer.from, resumed };
      lastFault = new SkeinError('digest_mismatch', { url: options.name, got: file.digest(), wanted: file.sha256 });
      await file.restart();
      if (!mayBeStale) break;
      mayBeStale = false;
    }
  }
  throw lastFault ?? new SkeinError('source_not_found', { url: options.name, reason: 'nobody has it' });
}

/** Undefined where this place does not have it. */
async function transferWhole(
  file: PartialFile,
  offer: Offer,
  options: DownloadOptions,
): Promise<{ resumed: boolean } | undefined> {
  const { signal, random = Math.random, wait = (ms: number) => delay(ms, undefined, { signal }) } = options;
  let resumed = false;
  for (let fruitless = 0; ; ) {
    const before = file.bytes;
    try {
      const open = await offer.open(before, signal);
      if (open === undefined) return undefined;
      resumed ||= open.offsetBytes > 0;
      await transfer(file, open, options);
      return { resumed };
    } catch (fault) {
      const error = transferFault(fault, options);
      fruitless = file.bytes > before ? 0 : fruitless + 1;
      if (!error.mayRetry || isOwnFault(error) || fruitless >= mostFruitlessTries) throw error;
      await wait(retryDelayMs(Math.max(1, fruitless), random())).catch(() =>
        Promise.reject(new SkeinError('cancelled')),
      );
    }
  }
}

async function transfer(file: PartialFile, open: OpenFile, { onProgress, name }: DownloadOptions): Promise<void> {
  if (open.offsetBytes !== file.bytes) await file.restart();
  if (open.sizeBytes !== undefined) await file.expect(open.sizeBytes);
  onProgress(file.bytes, open.sizeBytes);
  for await (const chunk of open.bytes) {
    await file.write(chunk);
    onProgress(file.bytes, open.sizeBytes);
  }
  if (open.sizeBytes !== undefined && file.bytes < open.sizeBytes) {
    throw new SkeinError('source_truncated', { url: name, got: file.bytes, wanted: open.sizeBytes });
  }
}

/** What a body breaks with is the transport's own. */
function transferFault(fault: unknown, { signal, name }: DownloadOptions): SkeinError {
  if (signal.aborted) return new SkeinError('cancelled', {}, { cause: fault });
  if (fault instanceof SkeinError) return fault;
  return new SkeinError('source_unreachable', { url: name, reason: (fault as Error).message }, { cause: fault });
}

/** Faults of this machine: another place or another try does not help. */
function isOwnFault(fault: unknown): boolean {
  return fault instanceof SkeinError && ['source_disk', 'source_cache_full', 'cancelled'].includes(fault.code);
}
