import type { FleetPicture, Move } from './plan.ts';
import { defaultRebalanceOptions, planRebalance, type RebalanceOptions } from './rebalance.ts';

interface RebalancePace {
  /** Moves under way at once, of this router. */
  readonly atOnce: number;
  /** Moves begun in a second, of all routers together. */
  readonly perSecond: number;
  /** A plan is made at most so often: of a million models it takes half a second. */
  readonly planEveryMs: number;
  /** A fleet that has just changed may change again: nothing is moved for so long. */
  readonly settleMs: number;
}

export const defaultRebalancePace: RebalancePace = Object.freeze({
  atOnce: 2,
  perSecond: 10,
  planEveryMs: 5_000,
  settleMs: 1_000,
});

/** What the pace is kept by. */
export interface RebalanceView {
  /** Asked for only when a plan is due. */
  readonly picture: () => FleetPicture;
  /** Changes with the members that take models: their ids and sizes. */
  readonly epoch: string;
  readonly routers: number;
  /** Moves of this router that are under way. */
  readonly underWay: number;
  /** Models that this router decides for. */
  readonly isOurs: (model: string) => boolean;
  /** The copy is still where the plan has it, and nowhere near where it should go. */
  readonly isCurrent: (move: Move) => boolean;
}

/**
 * Which moves to begin now. Every router makes the same plan from the same picture and carries out its own models' part of
 * it, at its part of the pace, cheapest first; what has changed since the plan was made is left out, and planned anew.
 */
export class Rebalancer {
  readonly #pace: RebalancePace;
  readonly #options: RebalanceOptions;
  #queue: readonly Move[] = [];
  #epoch: string | undefined;
  #plannedAtMs = -Infinity;
  #settledAtMs = 0;
  #tokens = 0;
  #filledAtMs = -Infinity;

  constructor(pace: RebalancePace = defaultRebalancePace, options: RebalanceOptions = defaultRebalanceOptions) {
    this.#pace = pace;
    this.#options = options;
  }

  /** Moves of the last plan that have not been begun. */
  get queued(): number {
    return this.#queue.length;
  }

  tick(view: RebalanceView, nowMs: number): Move[] {
    this.#fill(view.routers, nowMs);
    if (view.epoch !== this.#epoch) this.#onEpoch(view.epoch, nowMs);
    if (nowMs < this.#settledAtMs) return [];
    if (this.#queue.length === 0 && nowMs - this.#plannedAtMs >= this.#pace.planEveryMs) {
      this.#plannedAtMs = nowMs;
      this.#queue = planRebalance(view.picture(), this.#options).filter(({ model }) => view.isOurs(model));
    }
    const begun: Move[] = [];
    let at = 0;
    for (; at < this.#queue.length; at++) {
      if (view.underWay + begun.length >= this.#pace.atOnce || this.#tokens < 1) break;
      const move = this.#queue[at]!;
      if (!view.isCurrent(move)) continue;
      begun.push(move);
      this.#tokens -= 1;
    }
    this.#queue = this.#queue.slice(at);
    return begun;
  }

  #onEpoch(epoch: string, nowMs: number): void {
    // The first members that a router sees are no change.
    if (this.#epoch !== undefined) this.#settledAtMs = nowMs + this.#pace.settleMs;
    this.#epoch = epoch;
    this.#queue = [];
    this.#plannedAtMs = -Infinity;
  }

  #fill(routers: number, nowMs: number): void {
    const perMs = this.#pace.perSecond / Math.max(1, routers) / 1000;
    const since = this.#filledAtMs === -Infinity ? 0 : nowMs - this.#filledAtMs;
    this.#tokens = Math.min(this.#pace.atOnce, this.#tokens + since * perMs);
    this.#filledAtMs = nowMs;
  }
}
