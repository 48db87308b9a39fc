import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';
import {
  type ComingCopy,
  type CopyMemory,
  type MemoryBudget,
  mayStartLoad,
  needToFree,
  requiredBytes,
} from '../memory/budget.ts';
import { DemandTable } from '../memory/demand.ts';
import { chooseVictims, defaultEvictionOptions, type EvictableCopy, evictionPrice } from '../memory/eviction.ts';
import { reloadCostMs } from '../memory/reload-cost.ts';
import type { HeldCopy } from './held-copy.ts';

interface MemoryOptions {
  /** At first. */
  readonly limitBytes: number;
  /** Most that the limit may become: what is larger can never be loaded. */
  readonly ceilingBytes: number;
  /** Of the process: its runs share them. */
  readonly cores: number;
  /** Loads at once. */
  readonly loads: number;
  /** What it usually takes to load so many bytes. */
  readonly usualLoadMs: (residentBytes: number) => number;
}

/** A load that waits for its turn and for memory. */
interface Waiting {
  spec: CopySpec;
  readonly bytes: number;
  /** Set when it is next and cannot begin; time spent behind others does not count. */
  giveUpAtMs: number;
  readonly admitted: PromiseWithResolvers<void>;
}

/** A load that nobody can make room for says so after this long, so that its router can try elsewhere. */
const maxWaitMs = 5_000;

const lookAgainMs = 20;

const rememberedModels = 100_000;

const noRuns = { runPeakBytes: 0, parallelRuns: 1, coresPerRun: 1 };

/** Of the budget, this share stays free when memory is taken for what nobody waits for. */
const spareShare = 1 / 16;

/** The process's memory: who may load next, and who has to go for it. The decisions are those of backends/memory. */
export class MemoryKeeper {
  readonly #options: MemoryOptions;
  readonly #copies: ReadonlyMap<number, HeldCopy>;
  readonly #empty: (copy: HeldCopy) => Promise<void>;
  readonly #demand = new DemandTable({ maxEntries: rememberedModels });
  readonly #wanted: Waiting[] = [];
  readonly #background: Waiting[] = [];
  #limitBytes: number;
  #isPumping = false;
  #isDirty = false;
  /** When it was last looked at, copies held more than they may. */
  #isOver = false;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  evictions = 0;

  constructor(options: MemoryOptions, copies: ReadonlyMap<number, HeldCopy>, empty: (copy: HeldCopy) => Promise<void>) {
    this.#options = options;
    this.#limitBytes = options.limitBytes;
    this.#copies = copies;
    this.#empty = empty;
  }

  get loadsQueued(): number {
    return this.#wanted.length + this.#background.length;
  }

  get limitBytes(): number {
    return this.#limitBytes;
  }

  /** What copies hold above it goes, the least valuable first; those in use when they are idle. */
  set limitBytes(limitBytes: number) {
    this.#limitBytes = limitBytes;
    this.changed();
  }

  /** Of loads that wait. */
  get queuedBytes(): number {
    let bytes = 0;
    for (const waiting of this.#wanted) bytes += waiting.bytes;
    for (const waiting of this.#background) bytes += waiting.bytes;
    return bytes;
  }

  get usedBytes(): number {
    return requiredBytes(this.#memories(), this.#options.cores);
  }

  /** Counts a request for a model. */
  record(spec: CopySpec, nowMs: number): void {
    this.#demand.record(spec.model, nowMs);
  }

  /** What the next copy of usual size would displace, per byte; 0 where there is room for it. */
  evictionPrice(nowMs: number): number {
    const copies = this.#evictable(nowMs);
    const mean = copies.length === 0 ? 0 : copies.reduce((sum, copy) => sum + copy.residentBytes, 0) / copies.length;
    return evictionPrice(copies, this.queuedBytes + mean - (this.#limitBytes - this.usedBytes));
  }

  /** Resolves when the load may begin: its turn has come and its memory is free. Rejects with no_room or model_too_large, or at the end. */
  async admit(spec: CopySpec, bytes: number): Promise<void> {
    if (this.#isClosed) throw drainingError(spec);
    const waiting: Waiting = {
      spec,
      bytes,
      giveUpAtMs: Infinity,
      admitted: Promise.withResolvers(),
    };
    (spec.wanted ? this.#wanted : this.#background).push(waiting);
    this.changed();
    await waiting.admitted.promise;
  }

  /** Requests wait for it now: where it is queued behind all that requests wait for, it takes its place among those. */
  want(wanted: CopySpec): void {
    const { model, version, stamp } = wanted;
    const isIt = ({ spec }: Waiting) => spec.model === model && spec.version === version && spec.stamp === stamp;
    const at = this.#background.findIndex(isIt);
    if (at < 0) return;
    const [waiting] = this.#background.splice(at, 1) as [Waiting];
    waiting.spec = wanted;
    this.#wanted.push(waiting);
    this.changed();
  }

  /** A loaded copy holds more than was expected: others go for it. Resolves when the budget is kept again. */
  async settle(copy: HeldCopy): Promise<void> {
    const limitBytes = this.#limitBytes;
    const over = this.usedBytes - limitBytes;
    if (over <= 0) return;
    const missing = await this.#free(over, copy.spec, (rest) => requiredBytes(rest, this.#options.cores) <= limitBytes);
    if (missing > 0)
      throw noRoom(copy.spec.model, copy.heldBytes, `${missing} bytes over the budget of ${limitBytes} are in use`);
  }

  /** Whether a copy may hold so much more without anybody having to go, now or soon. */
  hasSpare(bytes: number): boolean {
    return this.loadsQueued === 0 && this.usedBytes + bytes <= (1 - spareShare) * this.#limitBytes;
  }

  /**
   * A copy has no request any more, as happens after every lone one: it is looked at at once where somebody waits for that.
   * What its runs have come to take shows soon enough, and is looked at only where it is more than it was (`hasGrown`): to
   * sum up all copies each time cost more than a small run, and every 20 ms still 5 µs a request with 100 copies.
   */
  becameIdle(hasGrown: boolean): void {
    if (this.#isPumping || this.#isOver || this.loadsQueued > 0) this.changed();
    else if (hasGrown) this.#lookAgain();
  }

  /** A copy proved itself, or went; a load ended. */
  changed(): void {
    this.#isDirty = true;
    if (!this.#isPumping) void this.#pump();
  }

  /** The process is going to end: loads that wait are refused, and so is whoever comes. */
  close(): void {
    this.#isClosed = true;
    for (const { spec, admitted } of [...this.#wanted.splice(0), ...this.#background.splice(0)]) {
      admitted.reject(drainingError(spec));
    }
  }

  /** Loads are admitted one at a time, so that two never count on the same memory. */
  async #pump(): Promise<void> {
    this.#isPumping = true;
    while (this.#isDirty) {
      this.#isDirty = false;
      await this.#keepWithin();
      await this.#admitFrom(this.#wanted);
      // What is loaded ahead of any request takes nothing that a request waits for.
      if (this.#wanted.length === 0) await this.#admitFrom(this.#background);
    }
    this.#isPumping = false;
    // What waits for time alone (a copy too young to go, a wait that ends) is looked at again without a change.
    this.#isOver = this.usedBytes > this.#limitBytes;
    if (this.loadsQueued > 0 || this.#isOver) this.#lookAgain();
  }

  async #admitFrom(queue: Waiting[]): Promise<void> {
    for (let first = queue[0]; first !== undefined; first = queue[0]) {
      if (!(await this.#tryAdmit(first))) return;
      this.#forget(first);
    }
  }

  /** Wherever it is queued by now: it may have been closed meanwhile, or be wanted since. */
  #forget(waiting: Waiting): void {
    for (const queue of [this.#wanted, this.#background]) {
      const at = queue.indexOf(waiting);
      if (at >= 0) queue.splice(at, 1);
    }
  }

  /** One timer, however many changes come meanwhile. */
  #lookAgain(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.changed();
    }, lookAgainMs).unref();
  }

  /** True where the load was admitted, or told that it cannot be. */
  async #tryAdmit(waiting: Waiting): Promise<boolean> {
    const { spec, bytes, admitted } = waiting;
    const { loads, ceilingBytes } = this.#options;
    // Waiting for a turn has no end of its own: the loads before it have.
    if (!mayStartLoad(this.#coming(performance.now()), bytes, loads, this.#limitBytes)) return false;
    const missing = await this.#makeRoom(spec, bytes);
    if (missing === Infinity) {
      admitted.reject(
        new SkeinError('model_too_large', { model: spec.model, neededBytes: bytes, budgetBytes: ceilingBytes }),
      );
      return true;
    }
    if (missing === 0) {
      admitted.resolve();
      // The load takes its bytes into account as it begins, in the continuation of `admit`.
      await new Promise((resolve) => setImmediate(resolve));
      return true;
    }
    const nowMs = performance.now();
    waiting.giveUpAtMs = Math.min(waiting.giveUpAtMs, nowMs + maxWaitMs);
    if (nowMs < waiting.giveUpAtMs) return false;
    admitted.reject(noRoom(spec.model, bytes, `${missing} bytes of that are in use by running requests`));
    return true;
  }

  /** Evicts until so many bytes are free; answers how many cannot be had now, Infinity where they never can. */
  async #makeRoom(spec: CopySpec, bytes: number): Promise<number> {
    const incoming: CopyMemory = { residentBytes: bytes, ...noRuns };
    for (;;) {
      // Asked anew after every eviction: while victims left, runs and loads may have taken what they held.
      const needed = needToFree([...this.#memories()], incoming, this.#budget);
      if (needed === 0) return 0;
      // It fits once the supervisor lets this process hold more, which it learns from what waits.
      if (needed === Infinity)
        return needToFree([], incoming, this.#mostBudget) === 0 ? bytes - this.#limitBytes : Infinity;
      const missing = await this.#free(needed, spec, (rest) => needToFree(rest, incoming, this.#budget) === 0);
      if (missing > 0) return missing;
    }
  }

  get #budget(): MemoryBudget {
    return { limitBytes: this.#limitBytes, cores: this.#options.cores };
  }

  get #mostBudget(): MemoryBudget {
    return { limitBytes: this.#options.ceilingBytes, cores: this.#options.cores };
  }

  /** After the limit was lowered: as much as may go now. */
  async #keepWithin(): Promise<void> {
    const overBytes = this.usedBytes - this.#limitBytes;
    if (overBytes <= 0) return;
    const neededBytes = overBytes - (await this.#shed(overBytes));
    if (neededBytes <= 0) return;
    const nowMs = performance.now();
    const { victims } = chooseVictims(this.#evictable(nowMs), { neededBytes, for: 'request' }, nowMs);
    this.evictions += victims.length;
    await Promise.all(victims.map(({ key }) => this.#empty(this.#copies.get(Number(key))!)));
  }

  /**
   * Evicts for so many bytes; answers how many could not be had. Nothing goes where it would not be enough. `suffices` is
   * asked of what would be left: a victim frees the room kept for its runs, too, which `neededBytes` does not know.
   */
  async #free(neededBytes: number, spec: CopySpec, suffices: (rest: CopyMemory[]) => boolean): Promise<number> {
    const shedBytes = await this.#shed(neededBytes);
    if (shedBytes >= neededBytes) return 0;
    const nowMs = performance.now();
    const wanted = {
      neededBytes: neededBytes - shedBytes,
      for: spec.wanted ? ('request' as const) : ('background' as const),
    };
    const { victims, missingBytes } = chooseVictims(this.#evictable(nowMs), wanted, nowMs);
    const leaving = new Set(victims.map((victim) => Number(victim.key)));
    if (missingBytes > 0 && !suffices([...this.#memories(leaving)])) return missingBytes;
    this.evictions += victims.length;
    await Promise.all([...leaving].map((id) => this.#empty(this.#copies.get(id)!)));
    return 0;
  }

  /** Further sessions go before any copy does, those that were used least recently first; answers what that freed. */
  async #shed(neededBytes: number): Promise<number> {
    const holders = [...this.#copies.values()].filter((copy) => (copy.serving?.runs.siblingBytes ?? 0) > 0);
    holders.sort((a, b) => a.serving!.runs.lastRunMs - b.serving!.runs.lastRunMs);
    let freedBytes = 0;
    for (const { serving } of holders) {
      if (freedBytes >= neededBytes) break;
      const before = serving!.runs.siblingBytes;
      await serving!.runs.shed();
      freedBytes += before - serving!.runs.siblingBytes;
    }
    return freedBytes;
  }

  *#memories(leaving?: ReadonlySet<number>): Iterable<CopyMemory> {
    for (const copy of this.#copies.values()) {
      if (copy.heldBytes === 0 || leaving?.has(copy.id)) continue;
      yield { residentBytes: copy.heldBytes, ...(copy.serving?.runs.memory ?? noRuns) };
    }
  }

  #evictable(nowMs: number): EvictableCopy[] {
    const evictable: EvictableCopy[] = [];
    for (const { id, state, spec, serving, loadMs, heldBytes } of this.#copies.values()) {
      if (state.kind !== 'ready' || serving === undefined) continue;
      evictable.push({
        key: String(id),
        residentBytes: heldBytes,
        loadMs: reloadCostMs(loadMs, this.#options.usualLoadMs(state.residentBytes)),
        ratePerSecond: this.#demand.ratePerSecond(spec.model, nowMs),
        readySinceMs: state.sinceMs,
        wasUsed: serving.wasUsed,
        inUse: serving.inFlight > 0,
        pinned: spec.pinned,
      });
    }
    this.#demand.setPlaces(evictable.length);
    return evictable;
  }

  #coming(nowMs: number): ComingCopy[] {
    const coming: ComingCopy[] = [];
    for (const { state, serving } of this.#copies.values()) {
      if (state.kind === 'loading') coming.push({ residentBytes: state.expectedBytes, stage: 'loading' });
      else if (state.kind === 'warming') coming.push({ residentBytes: state.residentBytes, stage: 'loading' });
      else if (state.kind === 'ready' && serving !== undefined && !serving.wasUsed) {
        // A preload may never be asked for: it counts as coming only while its first requests can be on their way.
        const isYoung = nowMs - state.sinceMs < defaultEvictionOptions.firstUseMs;
        if (isYoung) coming.push({ residentBytes: state.residentBytes, stage: 'unproven' });
      }
    }
    return coming;
  }
}

function noRoom(model: string, neededBytes: number, detail: string): SkeinError {
  return new SkeinError('no_room', { model, neededBytes, detail });
}

/** May be tried again: elsewhere, or here by the process that follows. */
export function drainingError({ model }: CopySpec): SkeinError {
  return new SkeinError('backend_draining', { model });
}
