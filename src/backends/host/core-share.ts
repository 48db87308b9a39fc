import { CoreDemand } from '../batching/core-demand.ts';
import { type CoreTicket, CoreTokens } from '../batching/core-tokens.ts';

interface Wish extends CoreTicket {
  /** Starts what the cores are for. */
  readonly start: (giveBack: () => void) => boolean;
}

/**
 * The cores of this process, shared by the runs of all copies: those that wait are started as others end. While other
 * processes of the host are busy it may hold fewer than there are.
 */
export class CoreShare {
  /** Of the host: what it may hold at most. */
  readonly count: number;
  readonly #tokens: CoreTokens<Wish>;
  readonly #demand = new CoreDemand(performance.now());
  readonly #listeners = new Set<() => void>();
  #lastTakenMs = 0;

  constructor(cores: number) {
    this.count = cores;
    this.#tokens = new CoreTokens(cores);
  }

  /** Copies that have a run waiting for cores. */
  get waiting(): number {
    return this.#tokens.waitingCopies;
  }

  /** How many its runs may hold now. */
  get limit(): number {
    return this.#tokens.limit;
  }

  set limit(cores: number) {
    for (const next of this.#tokens.setLimit(Math.min(cores, this.count))) this.#start(next);
    this.#noteDemand(performance.now());
  }

  /** When a core was last asked for, on performance.now(). */
  get lastTakenMs(): number {
    return this.#lastTakenMs;
  }

  /** Cores wanted on average since this was asked last: how many are missing is not known while some have to wait. */
  takeDemand(): number {
    return this.#demand.take(performance.now());
  }

  /** Calls back whenever cores are asked for; returns what ends that. */
  whenWanted(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls `start` now or when cores are free. `start` answers whether it began something; `giveBack` is called once
   * when that has ended, or at once where there was nothing to begin. Returns what an immediate start answered, false
   * where it was put off.
   */
  take(ticket: CoreTicket, start: (giveBack: () => void) => boolean): boolean {
    const wish: Wish = { ...ticket, start };
    this.touch(performance.now());
    const isGranted = this.#tokens.acquire(wish);
    this.#noteDemand(this.#lastTakenMs);
    return isGranted && this.#start(wish);
  }

  /** Somebody has something to run, if without a core of its own: nobody else is to take the cores for quiet. */
  touch(nowMs: number): void {
    this.#lastTakenMs = nowMs;
    for (const listener of this.#listeners) listener();
  }

  #start(wish: Wish): boolean {
    return wish.start(() => {
      const next = this.#tokens.release(wish);
      this.#noteDemand(performance.now());
      for (const one of next) this.#start(one);
    });
  }

  #noteDemand(nowMs: number): void {
    this.#demand.note(this.waiting > 0 ? this.count : Math.min(this.count, this.#tokens.heldCores), nowMs);
  }
}
