import type { RepositoryChanges } from '../../fleet/repository/repository-model.ts';
import { ModelEntry } from './model-entry.ts';

/** Every model that can be asked for, by name. */
export class Catalogue {
  readonly #entries = new Map<string, ModelEntry>();
  readonly #pinned: ReadonlySet<string>;

  /** `pinned`: names of models that are never evicted, whether they are known yet or not. */
  constructor(pinned: ReadonlySet<string> = new Set()) {
    this.#pinned = pinned;
  }

  get size(): number {
    return this.#entries.size;
  }

  find(name: string): ModelEntry | undefined {
    return this.#entries.get(name);
  }

  /** In the order of names, as Triton lists them. */
  all(): ModelEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
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

  /** Takes over what a repository shows now. Returns entries whose loaded copies may be out of date. */
  apply(changes: RepositoryChanges): ModelEntry[] {
    const touched: ModelEntry[] = [];
    for (const model of [...changes.added, ...changes.changed]) {
      const entry = this.ensure(model.name);
      entry.repository = model;
      if (entry.activity !== undefined) {
        entry.activity.failure = undefined; // other files may load
        entry.activity.forgetReady();
        touched.push(entry);
      }
    }
    for (const name of changes.removed) {
      const entry = this.#entries.get(name);
      if (entry === undefined) continue;
      entry.repository = undefined;
      if (entry.external === undefined) this.#entries.delete(name);
      if (entry.activity !== undefined) touched.push(entry);
    }
    return touched;
  }
}
