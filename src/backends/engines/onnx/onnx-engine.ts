import { SkeinError } from '../../../protocol/errors.ts';
import { estimateResidentBytes } from '../../memory/size-estimate.ts';
import type { Engine, EngineFacts, EngineOptions, LoadedModel, MemoryFacts, ModelFiles } from '../engine.ts';
import { heapTrimmer } from '../heap-trim.ts';
import { EntryNotes } from './entry-notes.ts';
import type { RuntimeEnvironment } from './environment.ts';
import { type CacheEntry, GraphCache, graphName, weightsName } from './graph-cache.ts';
import { LargeBlocks } from './large-blocks.ts';
import { mappedBytes } from './mapped-bytes.ts';
import { fileBytes, modelBytes } from './model-bytes.ts';
import { OnnxModel, type OnnxModelFacts } from './onnx-model.ts';
import { OptimiserThreads } from './optimiser-threads.ts';
import {
  builtInProviders,
  cpuProvider,
  type ProviderChoice,
  type ProviderFallback,
  providerUnavailable,
} from './providers.ts';
import { arenaStatistics, measureArena } from './run-memory.ts';
import type { Pointer } from './runtime-api.ts';
import { loadError, type SessionOptions, withSessionOptions } from './session-options.ts';
import { readSignature } from './session-signature.ts';
import { isSteadyGraph } from './steady-graph.ts';

interface OnnxEngineOptions {
  readonly provider: ProviderChoice;
  readonly fallback: ProviderFallback;
  /** Undefined: no cache, every load optimises anew. */
  readonly cache: GraphCache | undefined;
  /** Content digest of a model file and the external data that belongs to it. */
  readonly digest: (path: string) => Promise<string>;
  /** For a person to read: a fallback that was taken, a cache that could not be written. */
  readonly warn: (message: string, facts: Record<string, unknown>) => void;
}

/** What a session takes beside its tensors: nodes, kernels, names. Measured 0.8 MB for a graph of 35 kB. */
const sessionOverheadBytes = 512 * 1024;
const bytesPerGraphByte = 10;

/** Of a model that is not measured: weights, and copies of them that kernels repacked for themselves. */
const residentPerByteOnDisk = 1.5;

/** Optimising holds the file, its tensors, their new layout and what is written; measured 85 MB for one of 14 MB. */
const preparationFactor = 5;
const preparationBytes = 16 * 1024 * 1024;

/** The arena grows by powers of two: it held 12 MB for runs that need 10, 52 for 40. */
const arenaSlack = 1.3;

/** ONNX Runtime: loads and runs off the event loop, on koffi's threads. */
export class OnnxEngine implements Engine {
  readonly kind = 'onnx';
  readonly #runtime: RuntimeEnvironment;
  readonly #options: OnnxEngineOptions;
  readonly #optimisers: OptimiserThreads;
  readonly #trim = heapTrimmer();
  readonly #largeBlocks = new LargeBlocks();
  /** Entries that could not be made though there was room: not tried again in this process. */
  readonly #uncacheable = new Set<string>();
  /** There was no room for the last entry, and somebody was told. */
  #isDiskFull = false;

  constructor(runtime: RuntimeEnvironment, options: OnnxEngineOptions) {
    this.#runtime = runtime;
    this.#options = options;
    this.#optimisers = new OptimiserThreads(runtime.api);
  }

  probe(): EngineFacts {
    const { api } = this.#runtime;
    return { kind: this.kind, version: api.version, library: api.libraryPath, providers: builtInProviders(api) };
  }

  async estimateBytes({ path }: ModelFiles): Promise<number> {
    return estimateResidentBytes(path.endsWith('.ort') ? 'ort' : 'onnx', await modelBytes(path));
  }

  async loadPeakBytes(files: ModelFiles): Promise<number> {
    const { cache, provider } = this.#options;
    const isCacheable = cache !== undefined && provider.name === 'cpu' && !files.path.endsWith('.ort');
    if (isCacheable) {
      const key = GraphCache.key(await this.#options.digest(files.path), this.#runtime.api.version);
      const entry = await cache.open(key);
      if (entry !== undefined) return residentBytesOf(entry);
      const bytes = await modelBytes(files.path);
      if (await this.#mayMake(cache, key, bytes)) return preparationFactor * bytes + preparationBytes;
    }
    return 0;
  }

  async load(files: ModelFiles, options: EngineOptions, signal: AbortSignal): Promise<LoadedModel> {
    try {
      const model = await this.#loadSomehow(files, options);
      if (!signal.aborted) return model;
      await model.unload();
      throw new SkeinError('cancelled');
    } catch (fault) {
      await this.#trim();
      throw loadError(fault, files.model, files.version, files.path);
    }
  }

  async #loadSomehow(files: ModelFiles, options: EngineOptions): Promise<LoadedModel> {
    const { provider, fallback, cache } = this.#options;
    if (provider.name !== 'cpu') {
      try {
        return await this.#loadPlain(files, options, provider);
      } catch (fault) {
        if (!isProviderFault(fault)) throw fault;
        if (fallback === 'refuse') throw providerUnavailable(provider, fault);
        this.#options.warn('execution provider not usable, running on the CPU', {
          provider: provider.name,
          model: files.model,
          reason: (fault as Error).message,
        });
      }
    }
    // The .ort format is optimised already, and cannot be written again.
    if (cache === undefined || files.path.endsWith('.ort')) return this.#loadPlain(files, options, cpuProvider);
    return this.#loadThroughCache(cache, files, options);
  }

  async #loadThroughCache(cache: GraphCache, files: ModelFiles, options: EngineOptions): Promise<LoadedModel> {
    const key = GraphCache.key(await this.#options.digest(files.path), this.#runtime.api.version);
    const bytes = await modelBytes(files.path);
    let reason: string | undefined;
    try {
      const found = await this.#loadFound(cache, key, files, options);
      if (found !== undefined) return found;
      if (await this.#mayMake(cache, key, bytes)) return await this.#loadMade(cache, key, files, options);
    } catch (fault) {
      if (fault instanceof SkeinError) throw fault;
      reason = (fault as Error).message;
      // A disk that others filled meanwhile says nothing of the model.
      if (await cache.hasRoom(bytes)) this.#uncacheable.add(key);
    }
    const model = await this.#loadPlain(files, options, cpuProvider);
    // Had the model itself been at fault, it would have said so here.
    if (reason !== undefined) this.#options.warn('optimised graph not cached', { model: files.model, reason });
    return model;
  }

  /** Whether an entry is to be made: not of every model, and not on a disk that would not take it. */
  async #mayMake(cache: GraphCache, key: string, bytes: number): Promise<boolean> {
    if (this.#uncacheable.has(key)) return false;
    const hasRoom = await cache.hasRoom(bytes);
    if (!hasRoom && !this.#isDiskFull) {
      const remedy = 'loads take longer until there is; free some, or lower --graph-cache';
      this.#options.warn('no room on disk for optimised graphs', { reason: `${bytes} bytes wanted: ${remedy}` });
    }
    this.#isDiskFull = !hasRoom;
    return hasRoom;
  }

  /** From the entry that is there; undefined where there is none that can be used. */
  async #loadFound(
    cache: GraphCache,
    key: string,
    files: ModelFiles,
    options: EngineOptions,
  ): Promise<LoadedModel | undefined> {
    const entry = await cache.open(key);
    if (entry === undefined) return undefined;
    try {
      return await this.#loadEntry(entry, files, options);
    } catch (fault) {
      if (fault instanceof SkeinError) throw fault;
      // Another process trimmed it meanwhile, or its bytes are not what was written: made again.
      await cache.remove(key);
      return undefined;
    }
  }

  async #loadMade(cache: GraphCache, key: string, files: ModelFiles, options: EngineOptions): Promise<LoadedModel> {
    const directory = await cache.begin();
    try {
      await this.#largeBlocks.mappedDuring(() => this.#writeEntry(cache, directory, key, files, options));
    } catch (fault) {
      await cache.abandon(directory).catch(() => {});
      throw fault;
    }
    const entry = await cache.open(key);
    if (entry === undefined) throw new Error('the entry was removed as soon as it was made');
    const startMs = performance.now();
    return this.#loadEntry(entry, files, options, () => performance.now() - startMs);
  }

  /** Optimises once, then loads the result alone to learn what it holds and what a run takes. */
  async #writeEntry(
    cache: GraphCache,
    directory: string,
    key: string,
    files: ModelFiles,
    options: EngineOptions,
  ): Promise<void> {
    const { api } = this.#runtime;
    const { threads } = options;
    const graph = `${directory}/${graphName}`;
    const saveTo = { graph, weightsName };
    const original = await this.#optimise(files.path, {
      threads: 1,
      optimise: 'all',
      saveTo,
      ownArena: true,
      provider: cpuProvider,
    });
    try {
      readSignature(this.#runtime, original, files.model); // refused by name before anything is kept of it
    } finally {
      await api.releaseAsync('ReleaseSession', original);
    }
    const session = await this.#createSession(graph, {
      threads,
      optimise: 'none',
      ownArena: true,
      provider: cpuProvider,
    });
    const trial = this.#wrap(session, files, noMemory);
    try {
      const allocatedBytes = arenaStatistics(this.#runtime, session).inUse;
      const run = await measureArena(this.#runtime, session, trial);
      const weights = `${directory}/${weightsName}`;
      // Without a run to show which weights are used, all of them are.
      const mapped = run === undefined ? await fileBytes(weights) : await mappedBytes(weights);
      await cache.commit(directory, key, { allocatedBytes, mappedBytes: mapped, run });
    } finally {
      await trial.unload();
    }
  }

  async #loadEntry(
    entry: CacheEntry,
    files: ModelFiles,
    options: EngineOptions,
    reloadMs?: () => number,
  ): Promise<LoadedModel> {
    const { run } = entry.facts;
    const runPeakBytes = (rows: number) =>
      run === undefined ? 0 : arenaSlack * (run.fixedBytes + rows * run.rowBytes);
    const isSteady = await isSteadyGraph(entry.graph);
    const open = async (count: number, residentBytes: number, more: () => Partial<OnnxModelFacts>) => {
      const session = await this.#createSession(entry.graph, {
        threads: count,
        optimise: 'none',
        provider: cpuProvider,
      });
      return this.#wrap(session, files, { residentBytes, runPeakBytes }, { ...more(), isSteady });
    };
    const ownBytes = ownBytesOf(entry);
    const siblings = { residentBytes: ownBytes, load: (count: number) => open(count, ownBytes, () => ({})) };
    return open(options.threads, residentBytesOf(entry), () => ({
      siblings,
      notes: new EntryNotes(entry.directory),
      ...(reloadMs === undefined ? {} : { reloadMs: reloadMs() }),
    }));
  }

  /** Without the cache. Nothing is measured: the arena is that of all models. */
  async #loadPlain(files: ModelFiles, options: EngineOptions, provider: ProviderChoice): Promise<LoadedModel> {
    const bytesOnDisk = await modelBytes(files.path);
    const session = await this.#createSession(files.path, { threads: options.threads, optimise: 'all', provider });
    const residentBytes = Math.ceil(bytesOnDisk * residentPerByteOnDisk) + sessionOverheadBytes;
    const isSteady = provider.name === 'cpu' && (await isSteadyGraph(files.path));
    return this.#wrap(session, files, { residentBytes, runPeakBytes: () => 0 }, { isSteady });
  }

  #wrap(session: Pointer, files: ModelFiles, memory: MemoryFacts, more: Partial<OnnxModelFacts> = {}): OnnxModel {
    try {
      const signature = readSignature(this.#runtime, session, files.model);
      return new OnnxModel(this.#runtime, session, { ...more, signature, memory, afterUnload: () => this.#trim() });
    } catch (fault) {
      this.#runtime.api.release('ReleaseSession', session);
      throw fault;
    }
  }

  /** Takes as long as it takes: runs go first. The session is only good for being released. */
  #optimise(path: string, options: SessionOptions): Promise<Pointer> {
    const { api, environment } = this.#runtime;
    return withSessionOptions(api, options, (pointer) => this.#optimisers.createSession(environment, path, pointer));
  }

  #createSession(path: string, options: SessionOptions): Promise<Pointer> {
    const { api, environment } = this.#runtime;
    return withSessionOptions(api, options, async (pointer) => {
      const out = Buffer.from(new ArrayBuffer(128));
      await api.callAsync('CreateSession', environment, path, pointer, out);
      return out.readBigUInt64LE();
    });
  }
}

function residentBytesOf(entry: CacheEntry): number {
  return entry.facts.mappedBytes + ownBytesOf(entry);
}

/** What each session over the mapped weights holds for itself. */
function ownBytesOf({ facts, graphBytes }: CacheEntry): number {
  return facts.allocatedBytes + sessionOverheadBytes + bytesPerGraphByte * graphBytes;
}

const noMemory = { residentBytes: 0, runPeakBytes: () => 0 };

/** The runtime has no code for "your driver is missing"; its texts name the provider. */
function isProviderFault(fault: unknown): boolean {
  return /provider|CUDA|TensorRT|WebGPU|shared library/i.test((fault as Error).message);
}
