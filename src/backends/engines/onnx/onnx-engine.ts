import { stat } from 'node:fs/promises';
import { SkeinError } from '../../../protocol/errors.ts';
import type { Engine, EngineFacts, EngineOptions, LoadedModel, ModelFiles } from '../engine.ts';
import type { RuntimeEnvironment } from './environment.ts';
import { type CacheEntry, GraphCache, graphName, weightsName } from './graph-cache.ts';
import { heapTrimmer } from './heap-trim.ts';
import { mappedBytes } from './mapped-bytes.ts';
import { OnnxModel } from './onnx-model.ts';
import { builtInProviders, cpuProvider, type ProviderChoice, type ProviderFallback, providerUnavailable } from './providers.ts';
import { arenaStatistics, measureRunMemory } from './run-memory.ts';
import type { Pointer } from './runtime-api.ts';
import { loadError, type SessionOptions, withSessionOptions } from './session-options.ts';
import { readSignature } from './session-signature.ts';

export interface OnnxEngineOptions {
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

/** The arena grows by powers of two: it held 12 MB for runs that need 10, 52 for 40. */
const arenaSlack = 1.3;

/** ONNX Runtime: loads and runs off the event loop, on koffi's threads. */
export class OnnxEngine implements Engine {
  readonly kind = 'onnx';
  readonly #runtime: RuntimeEnvironment;
  readonly #options: OnnxEngineOptions;
  readonly #trim = heapTrimmer();
  /** Entries that could not be made: not tried again in this process. */
  readonly #uncacheable = new Set<string>();

  constructor(runtime: RuntimeEnvironment, options: OnnxEngineOptions) {
    this.#runtime = runtime;
    this.#options = options;
  }

  probe(): EngineFacts {
    const { api } = this.#runtime;
    return { kind: this.kind, version: api.version, library: api.libraryPath, providers: builtInProviders(api) };
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
    const entry = await this.#cached(cache, files, options);
    return entry === undefined ? this.#loadPlain(files, options, cpuProvider) : this.#loadEntry(entry, files, options);
  }

  async #cached(cache: GraphCache, files: ModelFiles, options: EngineOptions): Promise<CacheEntry | undefined> {
    const key = GraphCache.key(await this.#options.digest(files.path), this.#runtime.api.version);
    if (this.#uncacheable.has(key)) return undefined;
    const found = await cache.open(key);
    if (found !== undefined) return found;
    let directory: string | undefined;
    try {
      directory = await cache.begin();
      await this.#writeEntry(cache, directory, key, files, options);
      return await cache.open(key);
    } catch (fault) {
      if (directory !== undefined) await cache.abandon(directory).catch(() => {});
      if (fault instanceof SkeinError) throw fault;
      this.#uncacheable.add(key);
      // A model that does not load at all says so better by itself; everything else is a matter of the disk.
      this.#options.warn('optimised graph not cached', { model: files.model, reason: (fault as Error).message });
      return undefined;
    }
  }

  /** Optimises once, then loads the result alone to learn what it holds and what a run takes. */
  async #writeEntry(cache: GraphCache, directory: string, key: string, files: ModelFiles, options: EngineOptions): Promise<void> {
    const { api } = this.#runtime;
    const { threads } = options;
    const graph = `${directory}/${graphName}`;
    const saveTo = { graph, weightsName };
    const original = await this.#createSession(files.path, { threads, optimise: 'all', saveTo, ownArena: true, provider: cpuProvider });
    try {
      readSignature(this.#runtime, original, files.model); // refused by name before anything is kept of it
    } finally {
      await api.releaseAsync('ReleaseSession', original);
    }
    const session = await this.#createSession(graph, { threads, optimise: 'none', ownArena: true, provider: cpuProvider });
    const signature = readSignature(this.#runtime, session, files.model);
    const allocatedBytes = arenaStatistics(this.#runtime, session).inUse;
    const trial = new OnnxModel(this.#runtime, session, { signature, memory: noMemory, afterUnload: () => this.#trim() });
    try {
      const run = await measureRunMemory(this.#runtime, session, trial);
      const weights = `${directory}/${weightsName}`;
      // Without a run to show which weights are used, all of them are.
      const mapped = run === undefined ? await fileBytes(weights) : await mappedBytes(weights);
      await cache.commit(directory, key, { allocatedBytes, mappedBytes: mapped, run });
    } finally {
      await trial.unload();
    }
  }

  async #loadEntry(entry: CacheEntry, files: ModelFiles, options: EngineOptions): Promise<LoadedModel> {
    const session = await this.#createSession(entry.graph, { threads: options.threads, optimise: 'none', provider: cpuProvider });
    const graphBytes = (await stat(entry.graph)).size;
    const { allocatedBytes, mappedBytes: mapped, run } = entry.facts;
    return this.#wrap(session, files, {
      residentBytes: mapped + allocatedBytes + sessionOverheadBytes + bytesPerGraphByte * graphBytes,
      runPeakBytes: (rows) => (run === undefined ? 0 : arenaSlack * (run.fixedBytes + rows * run.rowBytes)),
    });
  }

  /** Without the cache. What it holds is seen in the shared arena, where runs of other models may blur it a little. */
  async #loadPlain(files: ModelFiles, options: EngineOptions, provider: ProviderChoice): Promise<LoadedModel> {
    const fileBytes = (await stat(files.path)).size;
    const session = await this.#createSession(files.path, { threads: options.threads, optimise: 'all', provider });
    return this.#wrap(session, files, {
      residentBytes: Math.ceil(fileBytes * 1.5) + sessionOverheadBytes,
      runPeakBytes: () => 0,
    });
  }

  #wrap(session: Pointer, files: ModelFiles, memory: LoadedModel['memory']): LoadedModel {
    try {
      const signature = readSignature(this.#runtime, session, files.model);
      return new OnnxModel(this.#runtime, session, { signature, memory, afterUnload: () => this.#trim() });
    } catch (fault) {
      this.#runtime.api.release('ReleaseSession', session);
      throw fault;
    }
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

async function fileBytes(path: string): Promise<number> {
  return (await stat(path).catch(() => undefined))?.size ?? 0;
}

const noMemory = { residentBytes: 0, runPeakBytes: () => 0 };

/** The runtime has no code for "your driver is missing"; its texts name the provider. */
function isProviderFault(fault: unknown): boolean {
  return /provider|CUDA|TensorRT|WebGPU|shared library/i.test((fault as Error).message);
}
