import { SkeinError } from '../../protocol/errors.ts';
import { place } from '../placement/place.ts';
import type { BackendView } from './backend-view.ts';
import { specOf } from './cold-starts.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelEntry } from './model-entry.ts';
import { questionOf } from './placement-question.ts';

interface MoverOptions {
  /** Whether this router decides where copies of the model are. */
  readonly isOurs: (entry: ModelEntry) => boolean;
  readonly log: (message: string, facts: Record<string, unknown>) => void;
}

/** Loads at once for moves: requests that wait for a load must not queue behind them. */
const movesAtOnce = 4;
/** A copy that could not be moved is tried again after this. */
const retryMs = 2_000;
const tickMs = 100;
/** States reach routers within 100 ms: until then another one may know of no copy but the one that leaves. */
const knownWithinMs = 300;

/**
 * Empties backends that drain: every copy is loaded elsewhere first, serves there, and only then leaves. No request meets
 * a cold model for it. What finds no other place stays until its backend goes.
 */
export class DrainMover {
  readonly #fleet: FleetView;
  readonly #options: MoverOptions;
  readonly #moving = new Set<CopyView>();
  /** Their successors serve; they leave when every router knows that. */
  readonly #leaving = new Set<CopyView>();
  readonly #retryAtMs = new WeakMap<CopyView, number>();
  #tickAtMs = 0;
  copiesMoved = 0;

  constructor(fleet: FleetView, options: MoverOptions) {
    this.#fleet = fleet;
    this.#options = options;
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
      if (hasSuccessor(copy)) this.#leaveSoon(copy);
      else if (this.#moving.size < movesAtOnce) void this.#move(copy, nowMs);
    }
  }

  #mustMove(copy: CopyView, nowMs: number): boolean {
    const isTried = (this.#retryAtMs.get(copy) ?? 0) > nowMs;
    const isUnderWay = this.#moving.has(copy) || this.#leaving.has(copy);
    return copy.isReady && !isTried && !isUnderWay && this.#options.isOurs(copy.entry);
  }

  async #move(copy: CopyView, nowMs: number): Promise<void> {
    const { entry, facts } = copy;
    const from = copy.backend.record.id;
    if (
      entry.repository === undefined ||
      !entry.serves(facts.version) ||
      facts.stamp !== entry.stampOf(facts.version)
    ) {
      await this.#leave(copy); // nothing to move: it is out of date
      return;
    }
    const question = questionOf(entry, facts.version, new Set([from]), this.#fleet.meanCopyBytes, nowMs);
    const best = place(this.#fleet.placementBackends(nowMs), question).candidates[0];
    const target = best === undefined ? undefined : this.#fleet.backends.get(best.backendId);
    if (target?.session === undefined) {
      this.#later(copy, 'no other backend can take it');
      return;
    }
    this.#moving.add(copy);
    target.promisedBytes += facts.residentBytes;
    try {
      // Not wanted: it must not displace what requests use more.
      this.#fleet.applyCopy(target, await target.session.load(specOf(entry, facts.version, rateOf(copy, nowMs) > 0)));
      this.copiesMoved++;
      this.#leaveSoon(copy);
    } catch (fault) {
      this.#later(copy, SkeinError.from(fault).message);
    } finally {
      target.promisedBytes = Math.max(0, target.promisedBytes - facts.residentBytes);
      this.#moving.delete(copy);
      this.#tickAtMs = 0; // the next one need not wait for its turn
    }
  }

  #leaveSoon(copy: CopyView): void {
    this.#leaving.add(copy);
    setTimeout(() => {
      this.#leaving.delete(copy);
      // Its successor may be lost meanwhile: then it is moved once more.
      if (copy.isLeaving && hasSuccessor(copy)) void this.#leave(copy);
    }, knownWithinMs).unref();
  }

  /** No new request is sent there; its backend answers those that are in it. */
  async #leave(copy: CopyView): Promise<void> {
    if (!copy.isGone) await copy.unload().catch(() => {}); // it stays, and is moved once more
  }

  #later(copy: CopyView, reason: string): void {
    this.#retryAtMs.set(copy, performance.now() + retryMs);
    this.#options.log('copy of a draining backend could not be moved', {
      model: copy.entry.name,
      backend: copy.backend.record.id,
      reason,
    });
  }
}

function hasSuccessor({ entry, facts }: CopyView): boolean {
  return [...entry.active().copies].some(
    (other) =>
      other.facts.version === facts.version && other.facts.stamp === facts.stamp && other.isReady && !other.isLeaving,
  );
}

function rateOf({ entry }: CopyView, nowMs: number): number {
  return entry.activity?.rate.perSecond(nowMs) ?? 0;
}
