import { type CoreTicket, CoreTokens } from '../batching/core-tokens.ts';

interface Wish extends CoreTicket {
  /** Starts what the cores are for. */
  readonly start: (giveBack: () => void) => boolean;
}

/** The cores of this process, shared by the runs of all copies: those that wait are started as others end. */
export class CoreShare {
  readonly count: number;
  readonly #tokens: CoreTokens<Wish>;
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

  /** When a core was last asked for, on performance.now(). */
  get lastTakenMs(): number {
    return this.#lastTakenMs;
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
    this.#lastTakenMs = performance.now();
    for (const listener of this.#listeners) listener();
    return this.#tokens.acquire(wish) && this.#start(wish);
  }

  #start(wish: Wish): boolean {
    return wish.start(() => {
      for (const next of this.#tokens.release(wish)) this.#start(next);
    });
  }
}
