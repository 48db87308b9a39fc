import { SkeinError } from '../../protocol/errors.ts';
import type { BackendState, Call, CopyFacts, CopySpec, ModelFinding } from '../../protocol/link/messages.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import { heapTrimmer } from '../engines/heap-trim.ts';
import { HeapLeftovers } from '../memory/heap-leftovers.ts';
import { BodyMemory } from './body-memory.ts';
import type { MemoryReport } from './budget-desk.ts';
import { CopyKeeper, type KeeperOptions } from './copy-keeper.ts';
import { CopyStatistics } from './copy-statistics.ts';
import type { CoreShare } from './core-share.ts';
import { FileOffers } from './file-offers.ts';
import { garbageCollector } from './garbage-collection.ts';
import type { HeldCopy } from './held-copy.ts';
import { JsonReader } from './json-reader.ts';
import { drainingError } from './memory-keeper.ts';

interface HostOptions extends Omit<KeeperOptions, 'statisticsOf' | 'onChange'> {
  readonly id: string;
  readonly software: string;
  readonly bodyMemoryBytes: number;
  /** Where the files that a router names lie on this host; left out: where the router says. */
  readonly locate?: (spec: CopySpec) => Promise<CopySpec>;
  /** What lies at a path of this host's model directories; left out: it has none. */
  readonly find?: (path: string) => Promise<ModelFinding>;
}

/** Totals are kept for so many versions of models; those of the longest unused go first. */
const maxStatistics = 20_000;

/** Load figures of busy copies are told to routers that did not see their answers this often. */
const loadTellMs = 1_000;

/** What routers are told of a backend. */
interface HostSnapshot {
  readonly backend: BackendState;
  readonly copies: readonly CopyFacts[];
  /** Number of the last copy that was begun, whether it is still there or not; 0: none yet. */
  readonly newestCopy: number;
}

/** One backend process: its copies, and what routers may ask of it. */
export class Host {
  readonly id: string;
  readonly software: string;
  readonly bodies: BodyMemory;
  readonly jsonReader = new JsonReader();
  readonly #options: HostOptions;
  readonly #keeper: CopyKeeper;
  readonly #files: FileOffers;
  readonly #statistics = new Map<string, CopyStatistics>();
  readonly #listeners = new Set<() => void>();
  readonly #leftovers = new HeapLeftovers();
  readonly #collectGarbage = garbageCollector();
  readonly #trimHeap = heapTrimmer();
  readonly #timer: NodeJS.Timeout;
  #draining = false;

  constructor(options: HostOptions) {
    this.id = options.id;
    this.software = options.software;
    this.#options = options;
    this.bodies = new BodyMemory(options.bodyMemoryBytes);
    this.#files = new FileOffers(options.id, options.fetcher);
    this.#keeper = new CopyKeeper({
      ...options,
      statisticsOf: (model, version) => this.#statisticsOf(model, version),
      onChange: () => this.#tell(),
    });
    this.#timer = setInterval(() => {
      this.#tell();
      if (this.#leftovers.look(this.bodies.takeMostBytes())) {
        this.#collectGarbage();
        void this.#trimHeap();
      }
    }, loadTellMs).unref();
  }

  /** Calls back on every change of the snapshot; returns what ends that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  snapshot(): HostSnapshot {
    const nowMs = performance.now();
    return {
      backend: {
        budgetBytes: this.#keeper.memory.limitBytes,
        ceilingBytes: this.#options.ceilingBytes,
        usedBytes: this.#keeper.memory.usedBytes,
        evictionPrice: this.#keeper.memory.evictionPrice(nowMs),
        loadsQueued: this.#keeper.loadsQueued,
        evictions: this.#keeper.memory.evictions,
        cores: this.cores.limit,
        draining: this.#draining,
        pid: process.pid,
        ...(this.#options.fetcher !== undefined && { sources: this.#options.fetcher.figures() }),
      },
      copies: Array.from(this.#keeper.copies, (copy) => copy.facts(nowMs)),
      newestCopy: this.#keeper.newestId,
    };
  }

  /** What its supervisor must know to divide the memory of the host. */
  memoryReport(): MemoryReport {
    const { memory } = this.#keeper;
    const evictionPrice = memory.evictionPrice(performance.now());
    const price = evictionPrice === Infinity ? null : evictionPrice;
    return { usedBytes: memory.usedBytes, queuedBytes: memory.queuedBytes, evictionPrice: price };
  }

  setBudget(budgetBytes: number): void {
    this.#keeper.memory.limitBytes = budgetBytes;
    this.#tell();
  }

  get cores(): CoreShare {
    return this.#keeper.cores;
  }

  setCores(cores: number): void {
    this.cores.limit = cores;
    this.#tell();
  }

  /** Holds no copy, and nobody waits for one. */
  get isEmpty(): boolean {
    for (const copy of this.#keeper.copies) if (copy.state.kind !== 'failed') return false;
    return true;
  }

  /**
   * The copy that a request is for, from its head on: it does not leave while the body comes. Counts as a wish for the
   * model. Undefined where the copy takes no requests.
   */
  expectRequest(id: number): HeldCopy | undefined {
    const held = this.#keeper.ready(id);
    if (held === undefined) return undefined;
    this.#keeper.memory.record(held.spec, performance.now());
    held.arriving.begin();
    return held;
  }

  /** A router that is gone holds nothing. */
  forgetRouter(router: object): void {
    for (const copy of this.#keeper.copies) copy.noteHeld(router, 0);
  }

  /** `router`: stands for whoever calls, as long as its link holds. */
  async answer(call: Call, router: object): Promise<unknown> {
    switch (call.verb) {
      case 'load':
        if (this.#draining) throw drainingError(call.copy);
        return (await this.#keeper.load(await this.#located(call.copy))).facts(performance.now());
      case 'unload':
        await this.#keeper.unload(call.copy);
        return null;
      case 'held':
        this.#keeper.noteHeld(call.copy, router, Math.max(0, Math.floor(Number(call.requests) || 0)));
        return null;
      case 'describe': {
        const serving = this.#keeper.find(call.copy)?.serving;
        if (serving === undefined) throw new SkeinError('copy_gone', { model: `number ${call.copy}` });
        return serving.parts.description;
      }
      case 'runs': {
        const serving = this.#keeper.find(call.copy)?.serving;
        if (serving === undefined) throw new SkeinError('copy_gone', { model: `number ${call.copy}` });
        return { ...serving.runs.planner.report(), ...serving.quick.report() };
      }
      case 'statistics':
        return this.#reportStatistics(call.model);
      case 'engine':
        return this.#options.engine.probe();
      case 'file':
        return this.#files.piece(String(call.sha256), Number(call.offsetBytes));
      case 'find':
        if (this.#options.find === undefined)
          throw new SkeinError('backend_cannot', {
            backend: this.id,
            verb: 'find models',
            reason: 'it has no model directories',
          });
        return this.#options.find(call.path);
      default:
        throw new SkeinError('internal', { reason: `a call of unknown verb '${(call as { verb: string }).verb}'` });
    }
  }

  #located(spec: CopySpec): CopySpec | Promise<CopySpec> {
    return this.#options.locate?.(spec) ?? spec;
  }

  /**
   * Takes no new copies and goes on serving those it has, until routers have moved them elsewhere. Resolves when they
   * have, when no router is there to do it, or after `mostMs`.
   */
  async handOver(mostMs: number, routers: () => number): Promise<void> {
    this.#draining = true;
    this.#tell();
    const untilMs = performance.now() + mostMs;
    while (performance.now() < untilMs && routers() > 0 && [...this.#keeper.copies].length > 0) {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Takes no new copies, then frees those it has once their requests are answered. */
  async drain(): Promise<void> {
    this.#draining = true;
    this.#options.fetcher?.close();
    this.#tell();
    await this.#keeper.unloadAll();
    clearInterval(this.#timer);
  }

  #statisticsOf(model: string, version: number): CopyStatistics {
    const key = `${model}\n${version}`;
    const found = this.#statistics.get(key) ?? new CopyStatistics(model, version);
    this.#statistics.delete(key);
    this.#statistics.set(key, found);
    if (this.#statistics.size > maxStatistics) this.#statistics.delete(this.#statistics.keys().next().value!);
    return found;
  }

  #reportStatistics(model: string | undefined): ModelStatistics[] {
    const resident = new Map<CopyStatistics, number>();
    for (const { serving, heldBytes } of this.#keeper.copies) {
      if (serving !== undefined) resident.set(serving.statistics, heldBytes);
    }
    return [...this.#statistics.values()]
      .filter((statistics) => model === undefined || statistics.model === model)
      .map((statistics) => statistics.report(resident.get(statistics) ?? 0));
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}
