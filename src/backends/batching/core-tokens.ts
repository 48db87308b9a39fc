/** A wish for the cores of one run. Tickets are told apart by identity. */
export interface CoreTicket {
  /** Copies take turns; the tickets of one copy are served in order. */
  readonly copy: string;
  /** Threads of the run. More than may be held: all of them. */
  readonly cores: number;
  /** Part of an instance count that the user wrote: granted at once, even where no core is free. */
  readonly overdraw: boolean;
}

/**
 * Cores as tokens: a run of t threads holds t of the process's tokens, so that the runs of many copies together never
 * use more threads than there are cores, but for those that the user asked for by number.
 *
 * Copies that wait take turns, so that one with a thousand requests does not hold up another with one. Whoever is first
 * in turn is never overtaken, however many cores it needs: nothing starves.
 */
export class CoreTokens<T extends CoreTicket> {
  #limit: number;
  #held = 0;
  /** With what each of them took. */
  readonly #granted = new Map<T, number>();
  /** In order of turn; a copy is here exactly while it has a ticket waiting. */
  readonly #waiting = new Map<string, Set<T>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Below 0 while runs that were granted at once, or before the limit was lowered, hold more than they may. */
  get freeCores(): number {
    return this.#limit - this.#held;
  }

  get heldCores(): number {
    return this.#held;
  }

  get limit(): number {
    return this.#limit;
  }

  /** Other processes have more use for some of the cores, or less; the tickets that this grants, in order. Runs under way keep theirs. */
  setLimit(limit: number): T[] {
    this.#limit = limit;
    return this.#serve();
  }

  get waitingCopies(): number {
    return this.#waiting.size;
  }

  /** True: granted now. False: queued until a release grants it. */
  acquire(ticket: T): boolean {
    if (ticket.overdraw || (this.#waiting.size === 0 && this.#need(ticket) <= this.freeCores)) {
      this.#grant(ticket);
      return true;
    }
    const queue = this.#waiting.get(ticket.copy);
    if (queue === undefined) this.#waiting.set(ticket.copy, new Set([ticket]));
    else queue.add(ticket);
    return false;
  }

  /** Gives the cores back; the tickets that this grants, in order. */
  release(ticket: T): T[] {
    const taken = this.#granted.get(ticket);
    if (taken === undefined) throw new Error(`a run of '${ticket.copy}' gave back cores that it does not hold`);
    this.#granted.delete(ticket);
    this.#held -= taken;
    return this.#serve();
  }

  /** Forgets a ticket that is still queued; the tickets that this grants, undefined where it was not queued. */
  cancel(ticket: T): T[] | undefined {
    const queue = this.#waiting.get(ticket.copy);
    if (!queue?.delete(ticket)) return undefined;
    if (queue.size === 0) this.#waiting.delete(ticket.copy);
    return this.#serve();
  }

  #serve(): T[] {
    const granted: T[] = [];
    for (const [copy, queue] of this.#waiting) {
      const [ticket] = queue as Iterable<T>;
      if (ticket === undefined || this.#need(ticket) > this.freeCores) break;
      this.#grant(ticket);
      granted.push(ticket);
      queue.delete(ticket);
      // To the end of the turns: a Map hands out what is set while it is walked, so the walk goes on with the others first.
      this.#waiting.delete(copy);
      if (queue.size > 0) this.#waiting.set(copy, queue);
    }
    return granted;
  }

  #grant(ticket: T): void {
    const taken = this.#need(ticket);
    this.#granted.set(ticket, taken);
    this.#held += taken;
  }

  #need({ cores }: T): number {
    return Math.min(cores, this.#limit);
  }
}

/** Loads at once: they have a lane of their own, so that slow loads never take the cores of runs. */
export function loadLaneWidth(cores: number): number {
  return Math.max(1, Math.floor(cores / 2));
}
