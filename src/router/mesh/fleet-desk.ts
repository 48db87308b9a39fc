import { type CatalogueEntry, type ModelRecord, type RouteTarget, readEntry } from '../../fleet/catalogue-entry.ts';
import type { Registry } from '../../fleet/registry.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { ModelFinding } from '../../protocol/link/messages.ts';

/** What a caller says of a model; what it leaves out stays as it is, or is looked up where the files are. */
export type ModelWish = Partial<Omit<ModelRecord, 'kind' | 'name'>>;

/** Asks backends for the versions under a path of their model directories; rejects where none has them. */
type FindModel = (path: string) => Promise<ModelFinding>;

/** A change that crosses somebody else's is made again on what that one left. */
const triesAgainst = 5;

/** Changes of the catalogue and orders to backends, as the admin API takes them: everything goes to the registry. */
export class FleetDesk {
  readonly #registry: Registry;
  readonly #find: FindModel;

  constructor(registry: Registry, find: FindModel) {
    this.#registry = registry;
    this.#find = find;
  }

  entries(): CatalogueEntry[] {
    return [...this.#registry.snapshot.entries.values()].map(({ entry }) => entry);
  }

  /** Puts a model into the catalogue or changes what it says of it. `ifRevision`: only where it is at that revision. */
  register(name: string, wish: ModelWish, ifRevision?: number): Promise<number> {
    return this.#change(name, ifRevision, async (known) => {
      if (known?.kind === 'route')
        throw new SkeinError('entry_invalid', { name, reason: 'it is an alias; remove that first' });
      return readEntry({ ...(await this.#withFiles(name, known, wish)), kind: 'model', name });
    });
  }

  /** An alias where there is one target, a split where there are several. */
  route(name: string, targets: readonly RouteTarget[], ifRevision?: number): Promise<number> {
    return this.#change(name, ifRevision, async (known) => {
      if (known?.kind === 'model') throw new SkeinError('entry_invalid', { name, reason: 'a model has this name' });
      const route = readEntry({ kind: 'route', name, targets });
      await this.#unless(() => {
        const missing = targets.find(({ model }) => this.#entry(model)?.kind !== 'model')?.model;
        if (missing === undefined) return undefined;
        const reason = `it leads to '${missing}', which is no model of the catalogue`;
        return new SkeinError('entry_invalid', { name, reason });
      });
      return route;
    });
  }

  /** `version` undefined: takes the label away. */
  async label(name: string, label: string, version: number | undefined): Promise<number> {
    await this.#unless(() =>
      this.#entry(name)?.kind === 'model' ? undefined : new SkeinError('model_unknown', { model: name }),
    );
    return this.#change(name, undefined, async (known) => {
      if (known?.kind !== 'model') throw new SkeinError('model_unknown', { model: name });
      const { [label]: _, ...others } = known.labels ?? {};
      return readEntry({ ...known, labels: version === undefined ? others : { ...others, [label]: version } });
    });
  }

  /** For all routers. Resolves without a change where it is so already, or the catalogue has no such model. */
  async setUnloaded(name: string, unloaded: boolean): Promise<void> {
    const known = this.#entry(name);
    if (known?.kind !== 'model' || (known.unloaded === true) === unloaded) return;
    await this.#change(name, undefined, async (now) => {
      if (now?.kind !== 'model') throw new SkeinError('model_unknown', { model: name });
      return readEntry({ ...now, unloaded });
    });
  }

  /** Refused while an alias leads there: its clients would be told that no model has its name. */
  async remove(name: string, ifRevision?: number): Promise<void> {
    const leadsThere = (entry: CatalogueEntry) =>
      entry.kind === 'route' && entry.targets.some(({ model }) => model === name);
    await this.#unless(() => {
      if (this.#entry(name) === undefined) return new SkeinError('model_unknown', { model: name });
      const alias = this.entries().find(leadsThere)?.name;
      if (alias === undefined) return undefined;
      const reason = `alias '${alias}' leads to it; lead that elsewhere or remove it first`;
      return new SkeinError('entry_invalid', { name, reason });
    });
    await this.#registry.removeEntry(name, ifRevision);
  }

  async drain(backendId: string, wanted: boolean): Promise<void> {
    await this.#registry.setDrain(backendId, wanted);
  }

  decide(decision: 'restore' | 'accept'): Promise<void> {
    return this.#registry.decide(decision);
  }

  async #change(
    name: string,
    ifRevision: number | undefined,
    make: (known: CatalogueEntry | undefined) => Promise<CatalogueEntry>,
  ): Promise<number> {
    for (let tried = 1; ; tried++) {
      const known = this.#registry.snapshot.entries.get(name);
      const entry = await make(known?.entry);
      try {
        return await this.#registry.putEntry(entry, ifRevision ?? known?.revision ?? 0);
      } catch (fault) {
        const crossed = SkeinError.from(fault).code === 'registry_conflict' && ifRevision === undefined;
        if (!crossed || tried >= triesAgainst) throw fault;
        await untilTold(tried);
      }
    }
  }

  /**
   * What stands against a change is looked at again before it is refused: its caller may have been answered the change
   * that it builds on, by this router or another one, before the watch has told of that here.
   */
  async #unless(faultOf: () => SkeinError | undefined): Promise<void> {
    for (let tried = 1; ; tried++) {
      const fault = faultOf();
      if (fault === undefined) return;
      if (tried >= triesAgainst) throw fault;
      await untilTold(tried);
    }
  }

  #entry(name: string): CatalogueEntry | undefined {
    return this.#registry.snapshot.entries.get(name)?.entry;
  }

  /** Files that the caller does not name are those of the entry, or are looked for on a backend. */
  async #withFiles(name: string, known: ModelRecord | undefined, wish: ModelWish): Promise<ModelWish> {
    const path = wish.path ?? known?.path ?? name;
    if (typeof path !== 'string') throw new SkeinError('entry_invalid', { name, reason: "'path' must be a text" });
    if (wish.source !== undefined) {
      const { stamps: _, ...others } = known ?? {}; // its digest is its stamp
      return { versions: [1], ...others, ...wish, path };
    }
    if (wish.versions !== undefined && wish.stamps !== undefined) return { ...known, ...wish, path };
    if (known !== undefined && wish.path === undefined && wish.versions === undefined) return { ...known, ...wish };
    const { versions, stamps, changedAtMs } = await this.#find(path);
    return { ...known, versions, stamps, changedAtMs, ...wish, path };
  }
}

/** The watch is about to tell of a change that the store has taken. */
function untilTold(tried: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20 * tried));
}
