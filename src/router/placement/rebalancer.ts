import type { FleetPicture, Move } from './plan.ts';
import {
  defaultRebalanceOptions,
  type Fill,
  lackingMost,
  type PlanPart,
  planRebalance,
  type RebalanceOptions,
} from './rebalance.ts';

interface RebalancePace {
  /** Moves under way at once, of this router. */
  readonly atOnce: number;
  /** Moves begun in a second, of all routers together. */
  readonly perSecond: number;
  /** A plan is made at most so often: of a million models it takes half a second. */
  readonly planEveryMs: number;
  /** And so often where the last one found nothing to move: who lacks models of an engine that it does not run always will. */
  readonly planAgainMs: number;
  /** A fleet that has just changed may change again: nothing is moved for so long. */
  readonly settleMs: number;
}

export const defaultRebalancePace: RebalancePace = Object.freeze({
  atOnce: 2,
  perSecond: 10,
  planEveryMs: 5_000,
  planAgainMs: 60_000,
  settleMs: 250,
});

/** What the pace is kept by. */
export interface RebalanceView {
  /** Members that take models. */
  readonly fleet: readonly Fill[];
  /** Asked for only when a plan is due. */
  readonly picture: () => FleetPicture;
  /** What this router plans. */
  readonly part: PlanPart;
  /** Moves of this router that are under way. */
  readonly underWay: number;
  /** The copy is still where the plan has it, and nowhere near where it should go. */
  readonly isCurrent: (move: Move) => boolean;
}

/**
 * Which moves to begin now. Every router plans for its own models and carries that out at its part of the pace, cheapest
 * first; what has changed since the plan was made is left out, and planned anew.
 */
export class Rebalancer {
  readonly #pace: RebalancePace;
  readonly #options: RebalanceOptions;
  #queue: readonly Move[] = [];
  /** Ids of the members that take models. */
  #epoch: string | undefined;
  /** No plan before. */
  #planAtMs = -Infinity;
  #settledAtMs = 0;
  /** What those who lack most hold, and when that was last more than before. */
  #receivedBytes = Infinity;
  #gainedAtMs = -Infinity;
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
    this.#fill(view.part.routers, nowMs);
    const epoch = view.fleet.map(({ id }) => id).join(' ');
    if (epoch !== this.#epoch) this.#onEpoch(epoch, nowMs);
    if (nowMs < this.#settledAtMs) return [];
    if (this.#queue.length === 0 && this.#isDue(view.fleet, nowMs)) {
      this.#queue = planRebalance(view.picture(), view.part, this.#options);
      this.#planAtMs = nowMs + (this.#queue.length > 0 ? this.#pace.planEveryMs : this.#pace.planAgainMs);
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

  /** Somebody lacks much, and nobody gives it anything: who is done first must not plan what others are about to move. */
  #isDue(fleet: readonly Fill[], nowMs: number): boolean {
    const lacking = lackingMost(fleet, this.#options);
    const receivedBytes = lacking.reduce((sum, { usedBytes }) => sum + usedBytes, 0);
    if (receivedBytes > this.#receivedBytes) this.#gainedAtMs = nowMs;
    this.#receivedBytes = receivedBytes;
    return lacking.length > 0 && nowMs >= Math.max(this.#planAtMs, this.#gainedAtMs + this.#pace.planEveryMs);
  }

  #onEpoch(epoch: string, nowMs: number): void {
    // The first members that a router sees are no change.
    if (this.#epoch !== undefined) this.#settledAtMs = nowMs + this.#pace.settleMs;
    this.#epoch = epoch;
    this.#queue = [];
    this.#planAtMs = -Infinity;
    this.#gainedAtMs = -Infinity;
    this.#receivedBytes = Infinity;
  }

  #fill(routers: number, nowMs: number): void {
    const perMs = this.#pace.perSecond / Math.max(1, routers) / 1000;
    const since = this.#filledAtMs === -Infinity ? 0 : nowMs - this.#filledAtMs;
    this.#tokens = Math.min(this.#pace.atOnce, this.#tokens + since * perMs);
    this.#filledAtMs = nowMs;
  }
}
