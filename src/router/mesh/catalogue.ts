import type { RouteRecord } from '../../fleet/catalogue-entry.ts';
import type { RepositoryChanges } from '../../fleet/repository/repository-model.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { chooseTarget } from '../routing/choose-target.ts';
import { ModelEntry } from './model-entry.ts';

/** Every model that can be asked for, by name. */
export class Catalogue {
  readonly #entries = new Map<string, ModelEntry>();
  readonly #pinned: ReadonlySet<string>;
  readonly #routes = new Map<string, RouteRecord>();

  /** `pinned`: names of models that are never evicted, whether they are known yet or not. */
  constructor(pinned: ReadonlySet<string> = new Set()) {
    this.#pinned = pinned;
  }

  get size(): number {
    return this.#entries.size;
  }

  get routes(): ReadonlyMap<string, RouteRecord> {
    return this.#routes;
  }

  setRoute(name: string, route: RouteRecord | undefined): void {
    if (route === undefined) this.#routes.delete(name);
    else this.#routes.set(name, route);
  }

  /**
   * What a request for this name is for: an alias or a split leads to one of its targets, `draw` in [0, 1) says to which.
   * Undefined for a name that is no route.
   */
  routed(name: string, draw: number): { readonly model: string; readonly version: number | undefined } | undefined {
    const route = this.#routes.get(name);
    if (route === undefined) return undefined;
    const { model, version } = chooseTarget(route.targets, draw);
    const labelled = typeof version === 'string' ? this.#entries.get(model)?.labels.get(version) : version;
    if (typeof version === 'string' && labelled === undefined)
      throw new SkeinError('label_unknown', { label: version });
    return { model, version: labelled };
  }

  find(name: string): ModelEntry | undefined {
    return this.#entries.get(name);
  }

  /** Those that are offered, in the order of names, as Triton lists them. */
  all(): ModelEntry[] {
    const offered = [...this.#entries.values()].filter((entry) => entry.isOffered);
    return offered.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  ensure(name: string): ModelEntry {
    let entry = this.#entries.get(name);
    if (entry === undefined) {
      entry = new ModelEntry(name, this.#pinned.has(name));
      this.#entries.set(name, entry);
    }
    return entry;
  }

  addExternal(name: string, backendId: string): ModelEntry {
    const entry = this.ensure(name);
    entry.external ??= new Set();
    entry.external.add(backendId);
    return entry;
  }

  /** The server does not have it any more. */
  removeExternal(name: string, backendId: string): void {
    const entry = this.#entries.get(name);
    if (entry?.external?.delete(backendId) !== true) return;
    if (entry.external.size === 0) entry.external = undefined;
    this.forgetIfGone(entry);
  }

  /** A model that nobody offers is known for as long as copies of it are there. */
  forgetIfGone(entry: ModelEntry): void {
    const isGone = !entry.isOffered && (entry.activity?.copies.size ?? 0) === 0;
    if (isGone && this.#entries.get(entry.name) === entry) this.#entries.delete(entry.name);
  }

  /** Takes over what a repository shows now. Returns entries whose loaded copies may be out of date. */
  apply(changes: RepositoryChanges): ModelEntry[] {
    const touched: ModelEntry[] = [];
    for (const model of [...changes.added, ...changes.changed]) {
      const entry = this.ensure(model.name);
      entry.repository = model;
      if (entry.activity !== undefined) {
        entry.activity.forgetReady();
        touched.push(entry);
      }
    }
    for (const name of changes.removed) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      entry.repository = undefined;
      entry.activity?.forgetReady();
      if (entry.activity !== undefined) touched.push(entry);
      this.forgetIfGone(entry);
    }
    return touched;
  }
}
