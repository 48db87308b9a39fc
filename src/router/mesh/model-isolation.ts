import type { Quarantine } from '../routing/quarantine.ts';
import type { BackendConnector } from './backend-connector.ts';
import type { ModelEntry } from './model-entry.ts';
import { engineOf } from './placement-question.ts';
import type { ProcessKeeper } from './process-keeper.ts';

/** Processes for models that keep crashing; a further such model stays among the others, suspects alone as ever. */
const maxIsolated = 4;

/** A model whose requests keep ending its process gets a process to itself, until it has been quiet for a while. */
export class ModelIsolation {
  readonly #quarantine: Quarantine;
  readonly #connector: BackendConnector;
  readonly #processes: ProcessKeeper;
  readonly #log: (message: string, facts: Record<string, unknown>) => void;
  readonly #isolated = new Map<ModelEntry, string>();
  #next = 1;

  constructor(
    quarantine: Quarantine,
    connector: BackendConnector,
    processes: ProcessKeeper,
    log: (message: string, facts: Record<string, unknown>) => void,
  ) {
    this.#quarantine = quarantine;
    this.#connector = connector;
    this.#processes = processes;
    this.#log = log;
  }

  async isolate(entry: ModelEntry): Promise<void> {
    if (this.#isolated.has(entry) || this.#isolated.size >= maxIsolated) return;
    const id = `isolated-${this.#next++}`;
    this.#isolated.set(entry, id);
    this.#log('model keeps crashing its process, isolated in one of its own', { model: entry.name, backend: id });
    const activity = entry.active();
    try {
      const record = await this.#processes.openApart(id, engineOf(entry));
      this.#connector.add(record);
      activity.isolatedOn = record.id;
    } catch (fault) {
      this.#isolated.delete(entry);
      this.#log('model could not be isolated', { model: entry.name, reason: (fault as Error).message });
      return;
    }
    activity.forgetReady();
    for (const copy of [...activity.copies]) {
      if (copy.backend.record.id !== activity.isolatedOn && !copy.backend.record.apart)
        void copy.unload().catch(() => {});
    }
  }

  /** Lets models that have been quiet back among the others. Called now and then. */
  sweep(nowMs: number): void {
    for (const [entry, id] of this.#isolated) {
      if (this.#quarantine.isIsolated(entry.name, nowMs)) continue;
      this.#isolated.delete(entry);
      const activity = entry.active();
      const { isolatedOn } = activity;
      activity.isolatedOn = undefined;
      activity.forgetReady();
      this.#log('model is back among the others', { model: entry.name, backend: id });
      if (isolatedOn !== undefined) void this.#close(entry, isolatedOn, id);
    }
  }

  /** Its process ends when the requests in it are answered: an end from here is no crash that they could be blamed for. */
  async #close(entry: ModelEntry, backendId: string, id: string): Promise<void> {
    const copies = [...entry.active().copies].filter(({ backend }) => backend.record.id === backendId);
    await Promise.allSettled(copies.map((copy) => copy.unload()));
    this.#connector.remove(backendId);
    this.#processes.closeApart(id);
  }
}
