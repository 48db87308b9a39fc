import type { FetchProgress, ModelFetcher } from '../../fleet/sources/model-fetcher.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { toLinkError } from '../../protocol/link/link-error.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';
import type { Engine, LoadedModel } from '../engines/engine.ts';
import { batchLimit, runLimitBytes } from '../memory/batch-limit.ts';
import { type MeasurementKey, Measurements } from '../memory/measurements.ts';
import { Calibrator } from './calibrator.ts';
import { Copy } from './copy.ts';
import { CopyFiles } from './copy-files.ts';
import { type LoaderSettings, loadParts, prepareLoad, warmParts } from './copy-loader.ts';
import type { CopyStatistics } from './copy-statistics.ts';
import { CoreShare } from './core-share.ts';
import { HeldCopy } from './held-copy.ts';
import { LoadPace } from './load-pace.ts';
import { MemoryKeeper } from './memory-keeper.ts';
import type { ServingParts } from './serving-parts.ts';

export interface KeeperOptions extends LoaderSettings {
  readonly engine: Engine;
  readonly budgetBytes: number;
  /** Most that the budget may become. */
  readonly ceilingBytes: number;
  /** Loads at once. */
  readonly loads: number;
  /** Left out where nothing is fetched. */
  readonly fetcher?: ModelFetcher;
  readonly statisticsOf: (model: string, version: number) => CopyStatistics;
  readonly onChange: () => void;
  /** Loads and evictions, for whoever looks closely. */
  readonly trace: (message: string, facts: Record<string, unknown>) => void;
}

/** A failed copy is shown for so long, then forgotten. */
const failedShownMs = 30_000;

const rememberedModels = 20_000;

/** The copies of this process: loads them once however many ask, makes room for them, empties and frees them. */
export class CopyKeeper {
  readonly #options: KeeperOptions;
  readonly #copies = new Map<number, HeldCopy>();
  readonly cores: CoreShare;
  /** Of all loads: what somebody who waits is told. */
  readonly #pace = new LoadPace();
  /** Without what preparing a model for the first time took: what giving it up costs. */
  readonly #reloadPace = new LoadPace();
  readonly #measured = new Measurements(rememberedModels);
  readonly memory: MemoryKeeper;
  readonly #calibrator: Calibrator;
  #nextId = 1;

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.cores = new CoreShare(options.cores);
    this.#calibrator = new Calibrator(this.cores, () => this.#serving());
    const { budgetBytes, ceilingBytes, cores, loads } = options;
    const usualLoadMs = (bytes: number) => this.#reloadPace.expectedMs(bytes);
    const limits = { limitBytes: budgetBytes, ceilingBytes, cores, loads, usualLoadMs };
    this.memory = new MemoryKeeper(limits, this.#copies, (copy) => this.#empty(copy));
  }

  /** Those that take requests. */
  *#serving(): Iterable<Copy> {
    for (const { state, serving } of this.#copies.values()) if (state.kind === 'ready' && serving) yield serving;
  }

  get copies(): Iterable<HeldCopy> {
    return this.#copies.values();
  }

  /** Numbers of copies only rise: this is the last one that was given. */
  get newestId(): number {
    return this.#nextId - 1;
  }

  get loadsQueued(): number {
    return this.memory.loadsQueued;
  }

  /** The copy, where it takes requests. */
  ready(id: number): HeldCopy | undefined {
    const held = this.#copies.get(id);
    return held?.state.kind === 'ready' ? held : undefined;
  }

  find(id: number): HeldCopy | undefined {
    return this.#copies.get(id);
  }

  /** Loads the copy, or joins the load that is under way; resolves when it is ready. */
  async load(spec: CopySpec): Promise<HeldCopy> {
    let held = [...this.#copies.values()].find((copy) => isSame(copy, spec));
    if (held === undefined) {
      held = new HeldCopy(this.#nextId++, spec, performance.now(), this.#options.onChange);
      this.#copies.set(held.id, held);
      const copy = held;
      held.loading = this.#load(copy);
      held.loading.catch(() => {}); // whoever waits is told; nobody may be waiting
      this.#options.onChange();
    } else if (spec.wanted) this.#want(held);
    await held.loading;
    return held;
  }

  /** So many requests of a router wait for the copy to be ready: from now on it may displace what others use less. */
  noteHeld(id: number, router: object, requests: number): void {
    const held = this.#copies.get(id);
    held?.noteHeld(router, requests);
    if (held !== undefined && requests > 0) this.#want(held);
  }

  #want(held: HeldCopy): void {
    if (held.spec.wanted) return;
    held.spec = { ...held.spec, wanted: true };
    this.memory.want(held.spec);
  }

  /** Takes no more requests for it, waits for those it has, frees it. A copy that is loading is freed when it is there. */
  async unload(id: number): Promise<void> {
    const held = this.#copies.get(id);
    if (held === undefined) return;
    await held.loading.catch(() => {});
    await this.#empty(held);
  }

  /** Empties everything: the process is going to end. */
  async unloadAll(): Promise<void> {
    this.#calibrator.stop();
    this.memory.close();
    await Promise.all([...this.#copies.keys()].map((id) => this.unload(id)));
  }

  async #load(held: HeldCopy): Promise<void> {
    let files: CopyFiles | undefined;
    try {
      files = await CopyFiles.acquire(held.spec, this.#options.fetcher, expectFetch(held));
      held.files = files;
      held.fetching = undefined;
      await this.#loadFrom(held, files.spec);
    } catch (fault) {
      const error = SkeinError.from(fault);
      files?.release(true);
      held.fetching = undefined;
      held.become({ kind: 'failed', reason: toLinkError(error, undefined) });
      setTimeout(() => this.#forget(held), failedShownMs).unref();
      throw error;
    } finally {
      this.memory.changed();
    }
  }

  async #loadFrom(held: HeldCopy, spec: CopySpec): Promise<void> {
    const startMs = performance.now();
    const prepared = await prepareLoad(spec, this.#options.engine.kind, this.#options);
    const { residentBytes: expectedResident, peakBytes: expectedBytes } = await this.#expected(spec, prepared.file);
    const loadedBefore = this.#measured.find(this.#keyOf(spec));
    // By what models hold in the end: the peak of preparing a small one is a hundred times that.
    held.readyAtMs = startMs + (loadedBefore?.loadMs ?? this.#pace.expectedMs(expectedResident));
    await this.memory.admit(held.spec, expectedBytes);
    held.become({ kind: 'loading', sinceMs: performance.now(), expectedBytes });
    const loadStartMs = performance.now();
    const parts = await loadParts(this.#options.engine, spec, prepared, this.#options, new AbortController().signal);
    const { residentBytes } = parts.model.memory;
    held.become({ kind: 'warming', sinceMs: performance.now(), residentBytes });
    const learn = () => this.#learn(spec, parts.model, performance.now() - loadStartMs);
    let serving: Copy;
    try {
      // It may hold more than was expected of it: then somebody else goes, or it does.
      await this.memory.settle(held);
      await warmParts(parts, spec, prepared.file);
      serving = this.#serve(held, parts);
    } catch (fault) {
      learn(); // the next try knows what it needs
      await parts.model.unload();
      throw fault;
    }
    held.loadMs = learn();
    held.serving = serving;
    held.become({ kind: 'ready', sinceMs: performance.now(), residentBytes });
    this.#options.trace('model loaded', {
      model: spec.model,
      version: spec.version,
      loadMs: held.loadMs,
      residentBytes,
    });
  }

  /** Returns the time that the next load will take, as others are told it. */
  #learn(spec: CopySpec, { memory, reloadMs = Infinity }: LoadedModel, tookMs: number): number {
    const { residentBytes } = memory;
    const loadMs = Math.max(1, Math.round(Math.min(tookMs, reloadMs)));
    this.#pace.record(tookMs, residentBytes);
    this.#reloadPace.record(loadMs, residentBytes);
    this.#measured.learn(this.#keyOf(spec), { residentBytes, loadMs, runPeakBytes: memory.runPeakBytes(1) });
    return loadMs;
  }

  /** At its worst moment a load holds `peakBytes`; a model that is prepared for the first time may take half the budget. */
  async #expected(spec: CopySpec, file: string): Promise<{ residentBytes: number; peakBytes: number }> {
    const { engine } = this.#options;
    const files = { model: spec.model, version: spec.version, path: file };
    const residentBytes = this.#measured.find(this.#keyOf(spec))?.residentBytes ?? (await engine.estimateBytes(files));
    const peak = await engine.loadPeakBytes(files);
    return { residentBytes, peakBytes: Math.max(residentBytes, Math.min(peak, this.#options.ceilingBytes / 2)) };
  }

  /** The stamp changes with the files; hashing them here would cost more than the measurement saves. */
  #keyOf(spec: CopySpec): MeasurementKey {
    const digest = `${spec.model}\n${spec.version}\n${spec.stamp}`;
    return { digest, engine: this.#options.engine.kind, device: 'cpu' };
  }

  #serve({ id, spec }: HeldCopy, parts: ServingParts): Copy {
    const { batching, model } = parts;
    const maxBatchRows = batchLimit(batching.maxBatchRows, this.#options.ceilingBytes, (rows) =>
      model.memory.runPeakBytes(rows),
    );
    const preferredRows = batching.preferredRows.filter((rows) => rows <= maxBatchRows);
    return new Copy(
      id,
      spec,
      { ...parts, batching: { ...batching, maxBatchRows, preferredRows } },
      {
        statistics: this.#options.statisticsOf(spec.model, spec.version),
        cores: this.cores,
        takeRoom: (bytes) => this.memory.hasSpare(bytes),
        runLimitBytes: runLimitBytes(this.#options.ceilingBytes),
        onIdle: (hasGrown) => this.memory.becameIdle(hasGrown),
      },
    );
  }

  /** Resolves when it is gone, whoever began to empty it. Never rejects. */
  #empty(held: HeldCopy): Promise<void> {
    const { serving, state } = held;
    if (serving !== undefined && state.kind === 'ready') held.leaving = this.#leave(held, serving, state.residentBytes);
    return held.leaving;
  }

  async #leave(held: HeldCopy, serving: Copy, residentBytes: number): Promise<void> {
    held.become({ kind: 'draining', sinceMs: performance.now(), residentBytes });
    await held.arriving.whenNone();
    await serving.whenIdle();
    held.become({ kind: 'unloading', sinceMs: performance.now(), residentBytes });
    try {
      await serving.runs.unload();
    } catch (fault) {
      // What it held cannot be known any more; that nobody is served by it is certain.
      this.#options.trace('model could not be freed', { model: held.spec.model, reason: (fault as Error).message });
    }
    held.files?.release(false);
    held.become({ kind: 'gone' });
    this.#options.trace('model left', { model: held.spec.model, version: held.spec.version });
    this.#forget(held);
    this.memory.changed();
  }

  #forget(held: HeldCopy): void {
    if (this.#copies.delete(held.id)) this.#options.onChange();
  }
}

/** What others are told while files come: they go by how fast they came so far. */
function expectFetch(held: HeldCopy): (progress: FetchProgress) => void {
  const startMs = performance.now();
  let startBytes: number | undefined;
  return ({ doneBytes, totalBytes }) => {
    startBytes ??= doneBytes;
    held.fetching = { doneBytes, totalBytes };
    const perMs = (doneBytes - startBytes) / Math.max(1, performance.now() - startMs);
    if (perMs > 0) held.readyAtMs = performance.now() + (totalBytes - doneBytes) / perMs;
  };
}

function isSame({ spec, state }: HeldCopy, wanted: CopySpec): boolean {
  const usable =
    state.kind !== 'failed' && state.kind !== 'gone' && state.kind !== 'unloading' && state.kind !== 'draining';
  return usable && spec.model === wanted.model && spec.version === wanted.version && spec.stamp === wanted.stamp;
}
