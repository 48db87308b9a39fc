import { SkeinError } from '../protocol/errors.ts';
import type { ModelRecord } from './catalogue-entry.ts';
import type { Registry } from './registry.ts';
import { stampTimeMs } from './repository/file-stamp.ts';
import type { RepositoryModel } from './repository/repository-model.ts';

/** Writes at once: more would only wait in etcd. */
const writesAtOnce = 64;
/** What could not be written, for a registry that is away or a change that crossed this one, is tried again. */
const retryMs = 1_000;

type Log = (message: string, facts: Record<string, unknown>) => void;

/**
 * Makes the models of a backend's directories known to the fleet. Several backends see the same models, perhaps not all
 * copied at the same time: the newest files count, so that two of them never write by turns. A model that is gone from a
 * directory stays in the catalogue: an unmounted disk must not take models from everybody.
 */
export class RepositoryPublisher {
  readonly #registry: Registry;
  readonly #log: Log;
  readonly #waiting = new Map<string, ModelRecord>();
  #isRunning = false;
  #isClosed = false;

  constructor(registry: Registry, log: Log) {
    this.#registry = registry;
    this.#log = log;
  }

  /** `seenAtMs`: when they were seen to change, of the wall clock; left out: nobody saw it, their files say when. */
  publish(models: Iterable<RepositoryModel>, seenAtMs = 0): void {
    for (const model of models) {
      if (model.problem !== undefined || model.versions.length === 0) continue;
      const record = modelRecordOf(model);
      // A version that was removed leaves older files behind than there were.
      this.#waiting.set(model.name, { ...record, changedAtMs: Math.max(record.changedAtMs, seenAtMs) });
    }
    if (!this.#isRunning) void this.#run();
  }

  close(): void {
    this.#isClosed = true;
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0 && !this.#isClosed) {
      if (this.#registry.standing.kind === 'connected') {
        await Promise.all(Array.from({ length: writesAtOnce }, () => this.#writeSome([...this.#waiting.values()])));
      }
      if (this.#waiting.size > 0) await new Promise((resolve) => setTimeout(resolve, retryMs).unref());
    }
    this.#isRunning = false;
  }

  /** Each of the writers takes what none has taken; what fails waits for the next round. */
  async #writeSome(queue: readonly ModelRecord[]): Promise<void> {
    for (const record of queue) {
      if (this.#waiting.get(record.name) !== record) continue;
      this.#waiting.delete(record.name);
      try {
        await this.#write(record);
      } catch (fault) {
        const { code, message } = SkeinError.from(fault);
        if (code === 'entry_invalid')
          this.#log('model cannot be in the catalogue', { model: record.name, reason: message });
        else if (!this.#waiting.has(record.name)) {
          this.#waiting.set(record.name, record);
          return;
        }
      }
    }
  }

  async #write(record: ModelRecord): Promise<void> {
    const known = this.#registry.snapshot.entries.get(record.name);
    const wanted = withNewerFiles(known?.entry.kind === 'model' ? known.entry : undefined, record);
    if (known?.entry.kind === 'route' || wanted === undefined) return;
    await this.#registry.putEntry(wanted, known?.revision ?? 0);
  }
}

/** The entry with the files of `found`, and what operators wrote of it; undefined where the entry is as new already. */
export function withNewerFiles(known: ModelRecord | undefined, found: ModelRecord): ModelRecord | undefined {
  if (known === undefined) return found;
  const isSame = known.stamps.join() === found.stamps.join() && known.versions.join() === found.versions.join();
  if (isSame || known.changedAtMs >= found.changedAtMs) return undefined;
  const { versions, stamps, changedAtMs, path, engine } = found;
  const labels = Object.entries(known.labels ?? {}).filter(([, version]) => versions.includes(version));
  return {
    ...known,
    ...{ versions, stamps, changedAtMs, path, engine },
    ...(known.labels !== undefined && { labels: Object.fromEntries(labels) }),
  };
}

function modelRecordOf({ name, versions, versionStamps, engine }: RepositoryModel): ModelRecord {
  return {
    kind: 'model',
    name,
    path: name,
    versions,
    stamps: versionStamps,
    engine: engine ?? 'onnx',
    changedAtMs: Math.max(...versionStamps.map(stampTimeMs)),
  };
}
