import { LoadPace } from '../../../src/backends/host/load-pace.ts';
import { type ComingCopy, type CopyMemory, mayStartLoad, needToFree } from '../../../src/backends/memory/budget.ts';
import { DemandTable } from '../../../src/backends/memory/demand.ts';
import { chooseVictims, type EvictableCopy, evictionPrice } from '../../../src/backends/memory/eviction.ts';
import { reloadCostMs } from '../../../src/backends/memory/reload-cost.ts';
import { place } from '../../../src/router/placement/place.ts';
import type { PlacementBackend } from '../../../src/router/placement/snapshot.ts';
import { seededRandom } from '../../fixtures/random.ts';
import { VirtualClock } from './virtual-clock.ts';

/**
 * A router and its backends on a virtual clock, around the real decisions: a closed loop of clients, loads that take
 * their time one after the other, runs that share slots, copies in use that cannot be evicted.
 */
export interface FleetShape {
  readonly backends: number;
  /** Equal models that fit into one backend. */
  readonly places: number;
  readonly clients: number;
  readonly loadMs: number;
  readonly runMs: number;
  /** Loads at once that the cores of one backend would allow. */
  readonly loadLanes: number;
  readonly runSlots: number;
  /** One way between router and backend. */
  readonly linkMs: number;
  /** How much load times differ by chance: the deviation of their logarithm; 0 where left out. */
  readonly loadSpread?: number;
}

export interface FleetFigures {
  readonly requests: number;
  /** Requests that found a ready copy; one that joined a load under way is no hit. */
  readonly hits: number;
  readonly loads: number;
  readonly loadsByBackend: readonly number[];
  readonly mostUsedBytes: number;
  readonly seconds: number;
  /** Hit rate of each twentieth of the trace, in order. */
  readonly course: readonly number[];
}

const modelBytes = 14e6;

interface Copy {
  readonly model: string;
  readonly backend: Backend;
  state: 'queued' | 'loading' | 'ready';
  loadMs: number;
  readySinceMs: number;
  inFlight: number;
  wasUsed: boolean;
  /** What to do with the requests that wait for it. */
  readonly waiting: (() => void)[];
}

class Backend {
  readonly id: string;
  readonly limitBytes: number;
  readonly held = new Map<string, Copy>();
  readonly loadQueue: Copy[] = [];
  readonly runQueue: (() => void)[] = [];
  readonly pace = new LoadPace();
  readonly demand = new DemandTable({ maxEntries: 10_000 });
  running = 0;
  loads = 0;

  constructor(id: string, limitBytes: number, places: number) {
    this.id = id;
    this.limitBytes = limitBytes;
    this.demand.setPlaces(places);
  }

  get coming(): ComingCopy[] {
    return [...this.held.values()]
      .filter(({ wasUsed }) => !wasUsed)
      .map(({ state }) => ({ residentBytes: modelBytes, stage: state === 'ready' ? 'unproven' : 'loading' }));
  }

  evictable(nowMs: number): EvictableCopy[] {
    return [...this.held.values()].map((copy) => ({
      key: copy.model,
      residentBytes: modelBytes,
      loadMs: reloadCostMs(copy.loadMs, this.pace.expectedMs(modelBytes)),
      ratePerSecond: this.demand.ratePerSecond(copy.model, nowMs),
      readySinceMs: copy.readySinceMs,
      wasUsed: copy.wasUsed,
      inUse: copy.state !== 'ready' || copy.inFlight > 0,
      pinned: false,
    }));
  }
}

const memory: CopyMemory = { residentBytes: modelBytes, runPeakBytes: 0, parallelRuns: 1, coresPerRun: 1 };

export class VirtualFleet {
  readonly #shape: FleetShape;
  readonly #clock = new VirtualClock();
  readonly #backends: readonly Backend[];
  readonly #copies = new Map<string, Copy>();
  readonly #random = seededRandom(11);
  #trace: readonly string[] = [];
  #sent = 0;
  #hits: boolean[] = [];
  #mostUsedBytes = 0;

  constructor(shape: FleetShape) {
    this.#shape = shape;
    const limitBytes = (shape.places + 0.5) * modelBytes;
    this.#backends = Array.from({ length: shape.backends }, (_, at) => new Backend(`b${at}`, limitBytes, shape.places));
  }

  replay(trace: readonly string[]): FleetFigures {
    this.#trace = trace;
    for (let client = 0; client < this.#shape.clients; client++) this.#clock.at(0, () => this.#sendNext());
    this.#clock.run();
    const part = Math.floor(trace.length / 20);
    const rate = (hits: readonly boolean[]) => hits.filter(Boolean).length / hits.length;
    return {
      requests: this.#hits.length,
      hits: this.#hits.filter(Boolean).length,
      loads: this.#backends.reduce((sum, { loads }) => sum + loads, 0),
      loadsByBackend: this.#backends.map(({ loads }) => loads),
      mostUsedBytes: this.#mostUsedBytes,
      seconds: this.#clock.nowMs / 1000,
      course: Array.from({ length: 20 }, (_, at) => rate(this.#hits.slice(at * part, (at + 1) * part))),
    };
  }

  #sendNext(): void {
    const model = this.#trace[this.#sent++];
    if (model === undefined) return;
    const copy = this.#copies.get(model) ?? this.#askForCopy(model);
    this.#hits.push(copy.state === 'ready');
    copy.backend.demand.record(model, this.#clock.nowMs);
    if (copy.state === 'ready') this.#run(copy);
    else copy.waiting.push(() => this.#run(copy));
  }

  #askForCopy(model: string): Copy {
    const snapshot = this.#backends.map((backend) => this.#reportOf(backend));
    const facts = { name: model, version: 1, expectedBytes: modelBytes, demand: 0, engine: 'echo' };
    const { candidates } = place(snapshot, { model: facts, copies: [] });
    const backend = this.#backends.find(({ id }) => id === candidates[0]?.backendId) ?? this.#backends[0]!;
    const copy: Copy = {
      model,
      backend,
      state: 'queued',
      loadMs: 0,
      readySinceMs: 0,
      inFlight: 0,
      wasUsed: false,
      waiting: [],
    };
    this.#copies.set(model, copy);
    backend.loadQueue.push(copy);
    this.#startLoads(backend);
    return copy;
  }

  #reportOf(backend: Backend): PlacementBackend {
    const nowMs = this.#clock.nowMs;
    const copies = backend.evictable(nowMs);
    const wantedBytes = (backend.held.size + backend.loadQueue.length + 1) * modelBytes;
    return {
      id: backend.id,
      engines: ['echo'],
      usableBytes: backend.limitBytes,
      usedBytes: (backend.held.size + backend.loadQueue.length) * modelBytes,
      evictionPrice: evictionPrice(copies, wantedBytes - backend.limitBytes),
      assignedDemand: copies.reduce((sum, { ratePerSecond }) => sum + ratePerSecond * modelBytes, 0),
      state: 'ready',
      labels: {},
    };
  }

  #startLoads(backend: Backend): void {
    const { loadLanes } = this.#shape;
    for (let next = backend.loadQueue[0]; next !== undefined; next = backend.loadQueue[0]) {
      if (!mayStartLoad(backend.coming, modelBytes, loadLanes, backend.limitBytes)) return;
      const held = Array.from(backend.held, () => memory);
      const neededBytes = needToFree(held, memory, { limitBytes: backend.limitBytes, cores: 1 });
      const choice = chooseVictims(
        backend.evictable(this.#clock.nowMs),
        { neededBytes, for: 'request' },
        this.#clock.nowMs,
      );
      if (choice.missingBytes > 0) return; // asked again when a run ends
      for (const victim of choice.victims) {
        backend.held.delete(victim.key);
        this.#copies.delete(victim.key);
      }
      backend.loadQueue.shift();
      this.#load(next);
    }
  }

  #load(copy: Copy): void {
    const { backend } = copy;
    copy.state = 'loading';
    backend.held.set(copy.model, copy);
    backend.loads += 1;
    this.#mostUsedBytes = Math.max(this.#mostUsedBytes, backend.held.size * modelBytes);
    copy.loadMs = this.#shape.loadMs * Math.exp((this.#shape.loadSpread ?? 0) * gaussian(this.#random));
    this.#clock.after(copy.loadMs, () => {
      copy.state = 'ready';
      backend.pace.record(copy.loadMs, modelBytes);
      copy.readySinceMs = this.#clock.nowMs;
      for (const start of copy.waiting) this.#clock.after(this.#shape.linkMs, start);
      this.#startLoads(backend);
    });
  }

  /** A request at a ready copy: queued, run, answered; then its client sends the next. */
  #run(copy: Copy): void {
    const { backend } = copy;
    copy.inFlight += 1;
    backend.runQueue.push(() =>
      this.#clock.after(this.#shape.runMs, () => {
        backend.running -= 1;
        copy.inFlight -= 1;
        copy.wasUsed = true;
        this.#startRuns(backend);
        this.#startLoads(backend);
        this.#clock.after(this.#shape.linkMs, () => this.#sendNext());
      }),
    );
    this.#startRuns(backend);
  }

  #startRuns(backend: Backend): void {
    while (backend.running < this.#shape.runSlots && backend.runQueue.length > 0) {
      backend.running += 1;
      backend.runQueue.shift()!();
    }
  }
}

/** Box and Muller. */
function gaussian(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
