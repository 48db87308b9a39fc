import { SkeinError } from '../../protocol/errors.ts';
import type { Catalogue } from './catalogue.ts';
import type { ColdStarts } from './cold-starts.ts';
import type { LoadOverride } from './mesh-port.ts';
import type { ModelEntry } from './model-entry.ts';
import type { ModelRefresh } from './model-refresh.ts';
import type { OverrideStore } from './override-store.ts';

export interface RepositoryParts {
  readonly catalogue: Catalogue;
  readonly coldStarts: ColdStarts;
  readonly refresh: ModelRefresh;
  readonly overrides: OverrideStore;
  /** Looks at the repositories now rather than at the next poll. */
  readonly rescan: () => Promise<void>;
  readonly log: (message: string, facts: Record<string, unknown>) => void;
}

/** Triton's load and unload calls: models are taken into service and out of it, as they are or with files of the caller. */
export class RepositoryCalls {
  readonly #parts: RepositoryParts;

  constructor(parts: RepositoryParts) {
    this.#parts = parts;
  }

  async load(model: string, override: LoadOverride | undefined): Promise<void> {
    const { catalogue, coldStarts, refresh, rescan } = this.#parts;
    await rescan();
    const entry = override === undefined ? catalogue.find(model) : catalogue.ensure(model);
    if (entry === undefined) throw new SkeinError('load_unknown', { model });
    if (override !== undefined) await this.#override(entry, override);
    else await this.#dropOverride(entry);
    const problem = entry.repository?.problem;
    if (problem !== undefined)
      throw new SkeinError('load_failed', { model, version: entry.newest ?? 1, reason: problem });
    entry.isUnloaded = false;
    entry.activity?.failures.clear();
    const versions = entry.repository === undefined ? [0] : entry.versions;
    const missing = versions.filter((version) => !isReady(entry, version));
    await Promise.all(missing.map((version) => coldStarts.ensure(entry, version, true)));
    await refresh.refresh(entry);
  }

  async unload(model: string): Promise<void> {
    const { catalogue, coldStarts } = this.#parts;
    const entry = catalogue.find(model);
    if (entry === undefined) return; // Triton answers 200 for what it does not know
    entry.isUnloaded = true;
    // What is being loaded is no copy yet that could be unloaded.
    await coldStarts.settled(entry);
    if (!entry.isUnloaded) return; // loaded again meanwhile
    const copies = [...(entry.activity?.copies ?? [])].filter(({ backend }) => backend.session?.can.unload === true);
    await Promise.all(copies.map((copy) => copy.unload()));
  }

  async #override(entry: ModelEntry, { config, files }: LoadOverride): Promise<void> {
    const { catalogue, overrides } = this.#parts;
    try {
      if (files.size > 0) entry.repository = await overrides.store(entry.name, files, entry.repository);
      if (entry.repository === undefined) throw new SkeinError('load_unknown', { model: entry.name });
    } finally {
      catalogue.forgetIfGone(entry);
    }
    entry.configOverride = config;
    entry.active().forgetReady();
  }

  /** Back to what the repository has; a model that came in a load call alone goes with it. */
  async #dropOverride(entry: ModelEntry): Promise<void> {
    const { catalogue, overrides, refresh, log } = this.#parts;
    entry.configOverride = undefined;
    entry.activity?.forgetReady();
    const own = await overrides.release(entry.name);
    if (own !== undefined) entry.repository = own.original;
    if (entry.isOffered) return;
    refresh.refresh(entry).catch((fault: Error) => log('refresh failed', { model: entry.name, reason: fault.message }));
    catalogue.forgetIfGone(entry);
    throw new SkeinError('load_unknown', { model: entry.name });
  }
}

function isReady(entry: ModelEntry, version: number): boolean {
  return entry
    .active()
    .ready(entry, version)
    .some((copy) => copy.facts.stamp === entry.stampOf(version));
}
