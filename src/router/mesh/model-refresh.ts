import type { ColdStarts } from './cold-starts.ts';
import type { CopyView } from './copy-view.ts';
import type { ModelEntry } from './model-entry.ts';

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

  async refresh(entry: ModelEntry): Promise<void> {
    const outdated = outdatedCopies(entry);
    if (outdated.length === 0) return;
    if (entry.repository === undefined) {
      await Promise.all(outdated.map(unload)); // gone from the repository
      return;
    }
    const wanted = new Set(outdated.map((copy) => copy.facts.version).filter((version) => entry.serves(version)));
    if (entry.newest !== undefined) wanted.add(entry.newest);
    try {
      await Promise.all([...wanted].map((version) => this.#coldStarts.ensure(entry, version, false)));
    } catch (fault) {
      this.#log('new files of a model do not load; what is loaded goes on serving', {
        model: entry.name,
        reason: (fault as Error).message,
      });
      return;
    }
    entry.active().forgetReady();
    await Promise.all(outdatedCopies(entry).map(unload));
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

async function unload(copy: CopyView): Promise<void> {
  // A backend that is lost meanwhile has unloaded it in its own way.
  await copy.backend.session?.unload(copy.facts).catch(() => {});
}
