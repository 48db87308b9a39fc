import { SkeinError } from '../../protocol/errors.ts';
import { place } from '../placement/place.ts';
import type { BackendView } from './backend-view.ts';
import { type CopyMoves, hasSuccessor } from './copy-moves.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelOwnership } from './model-ownership.ts';
import { questionOf } from './placement-question.ts';

type Log = (message: string, facts: Record<string, unknown>) => void;

/** Loads at once for moves: requests that wait for a load must not queue behind them. */
export const movesAtOnce = 4;
/** A copy that could not be moved is tried again after this. */
const retryMs = 2_000;
const tickMs = 100;

/**
 * Empties backends that drain: every copy is loaded elsewhere first, serves there, and only then leaves. No request meets
 * a cold model for it. What finds no other place stays until its backend goes.
 */
export class DrainMover {
  readonly #fleet: FleetView;
  readonly #ownership: ModelOwnership;
  readonly #moves: CopyMoves;
  readonly #log: Log;
  readonly #retryAtMs = new WeakMap<CopyView, number>();
  #underWay = 0;
  #tickAtMs = 0;
  copiesMoved = 0;

  constructor(fleet: FleetView, ownership: ModelOwnership, moves: CopyMoves, log: Log) {
    this.#fleet = fleet;
    this.#ownership = ownership;
    this.#moves = moves;
    this.#log = log;
  }

  tick(nowMs: number): void {
    if (nowMs < this.#tickAtMs) return;
    this.#tickAtMs = nowMs + tickMs;
    for (const view of this.#fleet.backends.values()) {
      if (view.standing !== 'draining' || view.record.kind !== 'skein' || view.record.apart === true) continue;
      this.#empty(view, nowMs);
    }
  }

  /** The hottest first: theirs is the load that the others have to take over. */
  #empty(view: BackendView, nowMs: number): void {
    const waiting = [...view.copies.values()].filter((copy) => this.#mustMove(copy, nowMs));
    waiting.sort((a, b) => rateOf(b, nowMs) - rateOf(a, nowMs));
    for (const copy of waiting) {
      if (hasSuccessor(copy)) this.#moves.leaveSoon(copy);
      else if (this.#underWay < movesAtOnce) void this.#move(copy, nowMs);
    }
  }

  #mustMove(copy: CopyView, nowMs: number): boolean {
    const isTried = (this.#retryAtMs.get(copy) ?? 0) > nowMs;
    return copy.isReady && !isTried && !copy.isMoving && !copy.isSucceeded && this.#ownership.isOurs(copy.entry);
  }

  async #move(copy: CopyView, nowMs: number): Promise<void> {
    const { entry, facts } = copy;
    const from = copy.backend.record.id;
    if (!copy.isCurrent) {
      await this.#moves.leave(copy); // nothing to move: it is out of date
      return;
    }
    const question = questionOf(entry, facts.version, new Set([from]), this.#fleet.meanCopyBytes, nowMs);
    const best = place(this.#fleet.placementBackends(nowMs), question).candidates[0];
    const target = best === undefined ? undefined : this.#fleet.backends.get(best.backendId);
    if (target === undefined) {
      this.#later(copy, 'no other backend can take it');
      return;
    }
    this.#underWay++;
    try {
      // Not wanted where nobody asks: it must not displace what requests use more.
      await this.#moves.move(copy, target, rateOf(copy, nowMs) > 0);
      this.copiesMoved++;
    } catch (fault) {
      this.#later(copy, SkeinError.from(fault).message);
    } finally {
      this.#underWay--;
      this.#tickAtMs = 0;
      this.tick(performance.now()); // the next one need not wait for its turn
    }
  }

  #later(copy: CopyView, reason: string): void {
    this.#retryAtMs.set(copy, performance.now() + retryMs);
    this.#log('copy of a draining backend could not be moved', {
      model: copy.entry.name,
      backend: copy.backend.record.id,
      reason,
    });
  }
}

function rateOf({ entry }: CopyView, nowMs: number): number {
  return entry.activity?.rate.perSecond(nowMs) ?? 0;
}
