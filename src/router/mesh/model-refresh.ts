import { SkeinError } from '../../protocol/errors.ts';
import type { ColdStarts } from './cold-starts.ts';
import type { CopyView } from './copy-view.ts';
import type { ModelEntry } from './model-entry.ts';

/** Between tries, where a successor does not load for want of room. */
const firstDelayMs = 1_000;
const maxDelayMs = 60_000;

/**
 * Brings loaded copies up to date after the repository changed: the successor is loaded and warmed first, then new
 * requests go to it, then the old copy is emptied. No request fails for it, and a successor that does not load leaves the
 * old copy serving.
 */
export class ModelRefresh {
  readonly #coldStarts: ColdStarts;
  readonly #log: (message: string, facts: Record<string, unknown>) => void;

  constructor(coldStarts: ColdStarts, log: (message: string, facts: Record<string, unknown>) => void) {
    this.#coldStarts = coldStarts;
    this.#log = log;
  }

  /** Resolves when nothing outdated is loaded any more, or what should replace it does not load. */
  async refresh(entry: ModelEntry): Promise<void> {
    for (let delayMs = firstDelayMs; ; delayMs = Math.min(maxDelayMs, 2 * delayMs)) {
      const outdated = outdatedCopies(entry);
      if (outdated.length === 0 && !lacksNewest(entry)) return;
      const { stamp } = entry;
      const fault = entry.repository === undefined ? undefined : await this.#loadSuccessors(entry, outdated);
      if (fault === undefined && entry.stamp === stamp) {
        entry.active().forgetReady();
        await Promise.all(outdatedCopies(entry).map((copy) => copy.unload().catch(() => {})));
        return;
      }
      if (fault === undefined) continue; // changed once more meanwhile
      this.#log('new files of a model do not load; what is loaded goes on serving', {
        model: entry.name,
        reason: fault.message,
      });
      if (!fault.mayRetry) return;
      // No room, or a backend that was lost: says nothing of the files.
      await new Promise((resolve) => setTimeout(resolve, delayMs).unref());
    }
  }

  async #loadSuccessors(entry: ModelEntry, outdated: readonly CopyView[]): Promise<SkeinError | undefined> {
    const wanted = new Set(outdated.map((copy) => copy.facts.version).filter((version) => entry.serves(version)));
    if (entry.newest !== undefined) wanted.add(entry.newest);
    try {
      await Promise.all([...wanted].map((version) => this.#coldStarts.ensure(entry, version, false)));
      return undefined;
    } catch (fault) {
      return SkeinError.from(fault);
    }
  }
}

/** Copies that the catalogue would not load as they are; also those of a served version that a newer one follows. */
function outdatedCopies(entry: ModelEntry): CopyView[] {
  const { repository } = entry;
  return [...(entry.activity?.copies ?? [])].filter(
    ({ facts, backend }) =>
      backend.record.kind === 'skein' &&
      (repository === undefined ||
        facts.stamp !== entry.stampOf(facts.version) ||
        !entry.versions.includes(facts.version)),
  );
}

/** It is in use, and its newest version is not there: requests that name none are served by an older one. */
function lacksNewest(entry: ModelEntry): boolean {
  const copies = [...(entry.activity?.copies ?? [])].filter(({ backend }) => backend.record.kind === 'skein');
  const { newest } = entry;
  if (newest === undefined || entry.isUnloaded || !copies.some((copy) => copy.isReady)) return false;
  return !copies.some((copy) => copy.isReady && copy.facts.version === newest);
}
