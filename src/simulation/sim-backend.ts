import { LoadPace } from '../backends/host/load-pace.ts';
import { type ComingCopy, type CopyMemory, mayStartLoad, needToFree } from '../backends/memory/budget.ts';
import { DemandTable } from '../backends/memory/demand.ts';
import { chooseVictims, type EvictableCopy, evictionPrice } from '../backends/memory/eviction.ts';
import { reloadCostMs } from '../backends/memory/reload-cost.ts';
import type { BackendAvailability } from '../router/placement/snapshot.ts';
import { normal, type Random } from './seeded-random.ts';
import { type LoadCause, SimCopy } from './sim-copy.ts';
import type { SimModel } from './sim-model.ts';
import { StateHistory } from './state-history.ts';
import type { VirtualClock } from './virtual-clock.ts';

interface BackendShape {
  readonly limitBytes: number;
  readonly loadSpread: number;
  readonly runMs: number;
  readonly runSlots: number;
  readonly loadLanes: number;
}

interface BackendTally {
  loads: number;
  evictions: number;
  requests: number;
  mostUsedBytes: number;
}

/** A load that found no memory waits so long for it, as in memory-keeper.ts. */
const maxWaitMs = 5_000;
/** Everybody knows by then that a copy has gone. */
const forgottenMs = 10_000;
/** The sum of what its models are asked for moves slowly. */
const demandEveryMs = 1_000;

/** A node: loads in turn, evicts, runs in its slots. Its decisions are those of backends/memory. */
export class SimBackend {
  readonly id: string;
  readonly tally: BackendTally = { loads: 0, evictions: 0, requests: 0, mostUsedBytes: 0 };
  readonly copies = new Map<SimModel, SimCopy>();
  readonly states: StateHistory;
  availability: BackendAvailability = 'ready';
  isGone = false;
  usedBytes = 0;
  readonly #clock: VirtualClock;
  readonly #shape: BackendShape;
  readonly #random: Random;
  readonly #pace = new LoadPace();
  readonly #demand = new DemandTable({ maxEntries: 20_000 });
  readonly #queues = { wanted: [] as SimCopy[], background: [] as SimCopy[] };
  readonly #runQueue: (() => void)[] = [];
  readonly #whenLost = new Set<() => void>();
  #running = 0;
  #isLookingAgain = false;
  #assignedDemand = 0;
  #demandAtMs = -Infinity;

  constructor(id: string, clock: VirtualClock, shape: BackendShape, random: Random) {
    this.id = id;
    this.#clock = clock;
    this.#shape = shape;
    this.#random = random;
    this.states = new StateHistory(clock, () => this.#snapshot());
  }

  /** Loads the model, or joins the load that is under way; tells whether it is ready in the end. */
  load(model: SimModel, wanted: boolean, cause: LoadCause, done: (isReady: boolean) => void): void {
    if (this.isGone || this.availability !== 'ready') {
      done(false);
      return;
    }
    const there = this.copies.get(model);
    if (there !== undefined) {
      if (there.state === 'ready') done(true);
      else there.waiting.push(done);
      return;
    }
    const copy = new SimCopy(model, this, cause, wanted);
    copy.waiting.push(done);
    copy.comingToldMs = this.states.touch();
    this.copies.set(model, copy);
    model.copies = model.copies.filter(({ goneToldMs }) => goneToldMs + forgottenMs > this.#clock.nowMs);
    model.copies.push(copy);
    (wanted ? this.#queues.wanted : this.#queues.background).push(copy);
    this.#startLoads();
  }

  unload(copy: SimCopy): void {
    if (copy.state === 'ready') this.#drop(copy);
    this.#startLoads();
  }

  /** A request reached the copy: `answer` once it has run, `lost` where the node goes first. */
  run(copy: SimCopy, answer: () => void, lost: () => void): void {
    const arrivedMs = this.#clock.nowMs;
    this.tally.requests += 1;
    this.#demand.record(copy.model.name, arrivedMs);
    copy.inFlight += 1;
    this.#whenLost.add(lost);
    this.#runQueue.push(() =>
      this.#clock.after(this.#shape.runMs, () => {
        if (this.isGone) return;
        this.#running -= 1;
        copy.inFlight -= 1;
        copy.wasUsed = true;
        const tookMs = this.#clock.nowMs - arrivedMs;
        copy.latencyMs += (tookMs - copy.latencyMs) * (copy.latencyMs === 0 ? 1 : 0.1);
        this.#whenLost.delete(lost);
        answer();
        this.#startRuns();
        this.#startLoads();
      }),
    );
    this.#startRuns();
  }

  /** Gone with everything in it. */
  kill(): void {
    this.isGone = true;
    for (const copy of [...this.copies.values()]) this.#drop(copy);
    for (const lost of this.#whenLost) lost();
  }

  /** Takes nothing new. */
  drain(): void {
    this.availability = 'draining';
    this.states.touch();
  }

  #startRuns(): void {
    while (this.#running < this.#shape.runSlots && this.#runQueue.length > 0) {
      this.#running += 1;
      this.#runQueue.shift()!();
    }
  }

  #startLoads(): void {
    if (this.isGone) return;
    const { wanted, background } = this.#queues;
    this.#startFrom(wanted);
    if (wanted.length === 0) this.#startFrom(background);
    // Memory that only time frees: a copy that is too young to go.
    if (wanted.length + background.length > 0 && !this.#isLookingAgain) {
      this.#isLookingAgain = true;
      this.#clock.after(100, () => {
        this.#isLookingAgain = false;
        this.#startLoads();
      });
    }
  }

  #startFrom(queue: SimCopy[]): void {
    const { limitBytes, loadLanes } = this.#shape;
    for (let next = queue[0]; next !== undefined; next = queue[0]) {
      const { model } = next;
      if (!mayStartLoad(this.#coming(), model.bytes, loadLanes, limitBytes)) return;
      const missing = this.#makeRoom(model.bytes, next.wanted);
      if (missing > 0) {
        const nowMs = this.#clock.nowMs;
        next.giveUpAtMs = Math.min(next.giveUpAtMs, nowMs + maxWaitMs);
        if (missing !== Infinity && nowMs < next.giveUpAtMs) return;
        queue.shift();
        this.#drop(next);
        continue;
      }
      queue.shift();
      this.#begin(next);
    }
  }

  /** Bytes that cannot be had now; evicts where they can. */
  #makeRoom(bytes: number, wanted: boolean): number {
    const held: CopyMemory[] = [];
    for (const copy of this.copies.values()) if (copy.state !== 'queued') held.push(memoryOf(copy.model.bytes));
    const budget = { limitBytes: this.#shape.limitBytes, cores: 1 };
    const neededBytes = needToFree(held, memoryOf(bytes), budget);
    if (neededBytes === 0 || neededBytes === Infinity) return neededBytes;
    const nowMs = this.#clock.nowMs;
    const evictable = this.#evictable(nowMs);
    const room = { neededBytes, for: wanted ? ('request' as const) : ('background' as const) };
    const { victims, missingBytes } = chooseVictims([...evictable.keys()], room, nowMs);
    if (missingBytes > 0) return missingBytes;
    for (const victim of victims) this.#drop(evictable.get(victim)!);
    this.tally.evictions += victims.length;
    return 0;
  }

  #begin(copy: SimCopy): void {
    copy.state = 'loading';
    this.usedBytes += copy.model.bytes;
    this.tally.mostUsedBytes = Math.max(this.tally.mostUsedBytes, this.usedBytes);
    this.tally.loads += 1;
    this.#demand.setPlaces(this.copies.size);
    this.states.touch();
    const { loadSpread } = this.#shape;
    copy.tookMs = copy.model.loadMs * (loadSpread === 0 ? 1 : Math.exp(loadSpread * normal(this.#random)));
    this.#clock.after(copy.tookMs, () => {
      if (this.isGone) return;
      this.#pace.record(copy.tookMs, copy.model.bytes);
      copy.state = 'ready';
      copy.readySinceMs = this.#clock.nowMs;
      copy.readyToldMs = this.states.touch();
      for (const done of copy.waiting.splice(0)) done(true);
      this.#startLoads();
    });
  }

  #drop(copy: SimCopy): void {
    if (copy.state === 'loading' || copy.state === 'ready') this.usedBytes -= copy.model.bytes;
    copy.state = 'gone';
    copy.goneToldMs = this.states.touch();
    this.copies.delete(copy.model);
    for (const done of copy.waiting.splice(0)) done(false);
  }

  #coming(): ComingCopy[] {
    const coming: ComingCopy[] = [];
    const nowMs = this.#clock.nowMs;
    for (const { model, state, wasUsed, readySinceMs } of this.copies.values()) {
      if (state === 'loading') coming.push({ residentBytes: model.bytes, stage: 'loading' });
      else if (state === 'ready' && !wasUsed && nowMs - readySinceMs < 500)
        coming.push({ residentBytes: model.bytes, stage: 'unproven' });
    }
    return coming;
  }

  #evictable(nowMs: number): Map<EvictableCopy, SimCopy> {
    const evictable = new Map<EvictableCopy, SimCopy>();
    for (const copy of this.copies.values()) {
      if (copy.state !== 'ready') continue;
      const { model, readySinceMs, wasUsed, inFlight } = copy;
      const loadMs = reloadCostMs(copy.tookMs, this.#pace.expectedMs(model.bytes));
      const facts = { key: model.name, residentBytes: model.bytes, loadMs, readySinceMs, wasUsed };
      const ratePerSecond = this.#demand.ratePerSecond(model.name, nowMs);
      evictable.set({ ...facts, ratePerSecond, inUse: inFlight > 0, pinned: false }, copy);
    }
    return evictable;
  }

  #snapshot() {
    const nowMs = this.#clock.nowMs;
    let queuedBytes = 0;
    for (const { model } of [...this.#queues.wanted, ...this.#queues.background]) queuedBytes += model.bytes;
    if (nowMs - this.#demandAtMs >= demandEveryMs) {
      this.#demandAtMs = nowMs;
      this.#assignedDemand = 0;
      for (const { model } of this.copies.values())
        this.#assignedDemand += this.#demand.ratePerSecond(model.name, nowMs) * model.bytes;
    }
    const price = () => this.#price(queuedBytes);
    const { availability, usedBytes } = this;
    const figures = { usableBytes: this.#shape.limitBytes, usedBytes, assignedDemand: this.#assignedDemand };
    return { id: this.id, state: availability, ...figures, price };
  }

  #price(queuedBytes: number): number {
    const copies = [...this.#evictable(this.#clock.nowMs).keys()];
    const meanBytes = copies.length === 0 ? 0 : copies.reduce((sum, one) => sum + one.residentBytes, 0) / copies.length;
    return evictionPrice(copies, queuedBytes + meanBytes - (this.#shape.limitBytes - this.usedBytes));
  }
}

function memoryOf(residentBytes: number): CopyMemory {
  return { residentBytes, runPeakBytes: 0, parallelRuns: 1, coresPerRun: 1 };
}
