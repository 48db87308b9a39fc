import { SkeinError } from '../../protocol/errors.ts';
import type { Catalogue } from './catalogue.ts';
import type { ColdStarts } from './cold-starts.ts';
import type { FleetDesk } from './fleet-desk.ts';
import type { LoadOverride } from './mesh-port.ts';
import type { ModelEntry } from './model-entry.ts';
import type { ModelRefresh } from './model-refresh.ts';
import type { OverrideStore } from './override-store.ts';
import type { ModelService, RouterSiblings } from './router-siblings.ts';

interface RepositoryParts {
  readonly catalogue: Catalogue;
  readonly coldStarts: ColdStarts;
  readonly refresh: ModelRefresh;
  readonly overrides: OverrideStore;
  readonly siblings: RouterSiblings;
  /** Looks for one model in the repositories now rather than at the next poll. */
  readonly lookFor: (model: string) => Promise<void>;
  readonly log: (message: string, facts: Record<string, unknown>) => void;
}

/** Triton's load and unload calls: models are taken into service and out of it, as they are or with files of the caller. */
export class RepositoryCalls {
  readonly #parts: RepositoryParts;
  /** Of a fleet, whose routers all go by the same catalogue. */
  desk: Pick<FleetDesk, 'setUnloaded'> | undefined;

  constructor(parts: RepositoryParts) {
    this.#parts = parts;
  }

  async load(model: string, override: LoadOverride | undefined): Promise<void> {
    const { catalogue, coldStarts, overrides, refresh, lookFor, siblings } = this.#parts;
    if (siblings.leader !== undefined) return siblings.leader.load(model, override);
    await lookFor(model);
    const entry = override === undefined ? catalogue.find(model) : catalogue.ensure(model);
    if (entry === undefined) throw new SkeinError('load_unknown', { model });
    const before = serviceOf(entry);
    try {
      try {
        await this.#takeIn(entry, override);
      } finally {
        await siblings.announce(serviceOf(entry));
      }
      const versions = entry.repository === undefined ? [0] : entry.versions;
      const missing = versions.filter((version) => !isReady(entry, version));
      await Promise.all(missing.map((version) => coldStarts.ensure(entry, version, true)));
    } catch (fault) {
      if (override !== undefined) await this.#undo(entry, before);
      throw fault;
    }
    await overrides.settle(model);
    await refresh.refresh(entry);
  }

  async unload(model: string): Promise<void> {
    const { catalogue, siblings } = this.#parts;
    if (siblings.leader !== undefined) return siblings.leader.unload(model);
    const entry = catalogue.find(model);
    if (entry === undefined) return; // Triton answers 200 for what it does not know
    const wasUnloaded = entry.isUnloaded;
    entry.isUnloaded = true;
    try {
      await this.desk?.setUnloaded(model, true);
    } catch (fault) {
      entry.isUnloaded = wasUnloaded; // what holds for one router alone holds for nobody who asks another
      throw fault;
    }
    await siblings.announce(serviceOf(entry));
    await this.#free(entry);
  }

  /** The catalogue of the fleet says so: another router has answered a call. */
  followFleet(entry: ModelEntry, isUnloaded: boolean): void {
    if (entry.isUnloaded !== isUnloaded) this.follow({ ...serviceOf(entry), isUnloaded });
  }

  /** What a sibling that starts now must hear: of every model that a call took out of service or changed. */
  services(): ModelService[] {
    const { catalogue, overrides } = this.#parts;
    return catalogue
      .all()
      .filter((entry) => entry.isUnloaded || entry.configOverride !== undefined || overrides.has(entry.name))
      .map(serviceOf);
  }

  /** The leader has answered a call. Faults of what that brings with it are those of later requests. */
  follow({ model, isUnloaded, configOverride, repository }: ModelService): void {
    const { catalogue, refresh, log } = this.#parts;
    const entry = catalogue.ensure(model);
    entry.repository = repository;
    entry.configOverride = configOverride;
    entry.isUnloaded = isUnloaded;
    entry.activity?.failures.clear();
    entry.activity?.forgetReady();
    catalogue.forgetIfGone(entry);
    const change = isUnloaded ? this.#free(entry) : refresh.refresh(entry);
    change.catch((fault: Error) => log('following a load or unload failed', { model, reason: fault.message }));
  }

  /** Into service: with the caller's own files and configuration, or else with those of the repository. */
  async #takeIn(entry: ModelEntry, override: LoadOverride | undefined): Promise<void> {
    if (override !== undefined) await this.#override(entry, override);
    else await this.#dropOverride(entry);
    const problem = entry.repository?.problem;
    if (problem !== undefined)
      throw new SkeinError('load_failed', { model: entry.name, version: entry.newest ?? 1, reason: problem });
    if (entry.isUnloaded) await this.desk?.setUnloaded(entry.name, false);
    entry.isUnloaded = false;
    entry.activity?.failures.clear();
  }

  /** Files or a configuration that do not load change nothing: copies of what was before go on, and are loaded again. */
  async #undo(entry: ModelEntry, before: ModelService): Promise<void> {
    const { overrides, siblings } = this.#parts;
    if (entry.repository !== before.repository) await overrides.undo(entry.name);
    const wasTakenIn = before.isUnloaded && !entry.isUnloaded;
    this.follow(before);
    await siblings.announce(before);
    if (wasTakenIn) await this.desk?.setUnloaded(entry.name, true);
  }

  async #free(entry: ModelEntry): Promise<void> {
    // What is being loaded is no copy yet that could be unloaded.
    await this.#parts.coldStarts.settled(entry);
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

function serviceOf({ name, isUnloaded, configOverride, repository }: ModelEntry): ModelService {
  return { model: name, isUnloaded, configOverride, repository };
}

function isReady(entry: ModelEntry, version: number): boolean {
  return entry
    .active()
    .ready(entry, version)
    .some((copy) => copy.facts.stamp === entry.stampOf(version));
}
