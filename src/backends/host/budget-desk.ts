import { defaultDivisionOptions, divideBudget, type ProcessMemory } from '../memory/divide-budget.ts';

/** What a backend process tells of its memory: on every change, at most some ten times a second. */
export interface MemoryReport {
  readonly usedBytes: number;
  readonly queuedBytes: number;
  /** Infinity does not travel as JSON: null stands for it. */
  readonly evictionPrice: number | null;
}

/** A process that nothing is wanted of is about to end. */
export interface EndingNotice {
  readonly ending: true;
}

/** What its supervisor tells a backend process. */
export interface BudgetOrder {
  readonly budgetBytes: number;
}

interface Member {
  memory: ProcessMemory;
  readonly tell: (order: BudgetOrder) => void;
}

/** How often memory moves for the price alone: a full process has evicted by then, and its price has changed. */
const stepMs = 250;

/** Keeps the budget of this host divided among its processes. */
export class BudgetDesk {
  readonly #totalBytes: number;
  readonly #members = new Map<string, Member>();
  #steppedMs = -Infinity;

  constructor(totalBytes: number) {
    this.#totalBytes = totalBytes;
  }

  /** A process starts, of which nothing is known but what it may hold. */
  join(facts: Pick<ProcessMemory, 'id' | 'engine' | 'limitBytes' | 'ceilingBytes'>, tell: Member['tell']): void {
    const known = this.#members.get(facts.id)?.memory;
    const memory = { ...facts, usedBytes: 0, queuedBytes: 0, evictionPrice: 0 };
    // One that was started again may hold what the one before it might.
    const limitBytes = known?.limitBytes ?? facts.limitBytes;
    this.#members.set(facts.id, { memory: { ...memory, limitBytes }, tell });
    if (known !== undefined) tell({ budgetBytes: limitBytes });
  }

  /** It has ended, and will not be started again before it is wanted: the others have its memory. */
  leave(id: string): void {
    if (this.#members.delete(id)) this.#divide();
  }

  report(id: string, { usedBytes, queuedBytes, evictionPrice }: MemoryReport): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.memory = { ...member.memory, usedBytes, queuedBytes, evictionPrice: evictionPrice ?? Infinity };
    this.#divide();
  }

  #divide(): void {
    const nowMs = performance.now();
    const mayStep = nowMs - this.#steppedMs >= stepMs;
    if (mayStep) this.#steppedMs = nowMs;
    const options = mayStep ? defaultDivisionOptions : { ...defaultDivisionOptions, stepShare: 0 };
    const memories = Array.from(this.#members.values(), ({ memory }) => memory);
    const limits = divideBudget(this.#totalBytes, memories, options);
    for (const [id, member] of this.#members) {
      const limitBytes = limits.get(id)!;
      if (limitBytes === member.memory.limitBytes) continue;
      member.memory = { ...member.memory, limitBytes };
      member.tell({ budgetBytes: limitBytes });
    }
  }
}
