import { SkeinError } from '../../protocol/errors.ts';
import type { FleetPicture, Move } from '../placement/plan.ts';
import type { Fill } from '../placement/rebalance.ts';
import { defaultRebalancePace, Rebalancer } from '../placement/rebalancer.ts';
import type { Catalogue } from './catalogue.ts';
import type { CopyMoves } from './copy-moves.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelOwnership } from './model-ownership.ts';
import { plannedModels } from './planned-models.ts';

type Log = (message: string, facts: Record<string, unknown>) => void;

interface JoinMoverParts {
  readonly catalogue: Catalogue;
  readonly fleet: FleetView;
  readonly ownership: ModelOwnership;
  readonly moves: CopyMoves;
  /** Copies moved in a second, by all routers together; 0: none are. */
  readonly perSecond: number;
  readonly log: Log;
}

const tickMs = 100;

/**
 * Gives backends that hold much less than the others their share of the copies and of the load: those that have just
 * joined or come back. Each router moves copies of its own models.
 */
export class JoinMover {
  readonly #parts: JoinMoverParts;
  readonly #rebalancer: Rebalancer;
  #underWay = 0;
  #tickAtMs = 0;
  copiesMoved = 0;

  constructor(parts: JoinMoverParts) {
    this.#parts = parts;
    this.#rebalancer = new Rebalancer({ ...defaultRebalancePace, perSecond: parts.perSecond });
  }

  /** Moves that are planned and not begun. */
  get queued(): number {
    return this.#rebalancer.queued;
  }

  tick(nowMs: number): void {
    if (this.#parts.perSecond === 0 || nowMs < this.#tickAtMs) return;
    this.#tickAtMs = nowMs + tickMs;
    const { ownership, catalogue } = this.#parts;
    const isOurs = (name: string) => {
      const entry = catalogue.find(name);
      return entry !== undefined && ownership.isOurs(entry);
    };
    const view = {
      fleet: this.#fills(),
      picture: () => this.#picture(nowMs),
      part: { isOurs, position: ownership.position, routers: ownership.routers },
      underWay: this.#underWay,
      isCurrent: (move: Move) => this.#copyOf(move) !== undefined,
    };
    for (const move of this.#rebalancer.tick(view, nowMs)) void this.#move(move);
  }

  /** One that is silent for a moment is still there: what is planned is not given up for it. */
  #fills(): Fill[] {
    const fills: Fill[] = [];
    for (const view of this.#parts.fleet.backends.values()) {
      const fill = view.placement(0);
      if (fill !== undefined && fill.state !== 'draining' && fill.usableBytes > 0) fills.push(fill);
    }
    return fills;
  }

  #picture(nowMs: number): FleetPicture {
    const { fleet } = this.#parts;
    return { backends: fleet.placementBackends(nowMs), models: plannedModels(fleet, nowMs) };
  }

  /** The copy that the plan would move, while that makes sense. */
  #copyOf({ model, version, from, to }: Move): CopyView | undefined {
    const entry = this.#parts.catalogue.find(model);
    if (entry?.activity === undefined || entry.isUnloaded || entry.activity.isolatedOn !== undefined) return undefined;
    let found: CopyView | undefined;
    for (const copy of entry.activity.copies) {
      const { id } = copy.backend.record;
      if (copy.facts.version !== version) continue;
      if (id === to) return undefined;
      if (id === from) found = copy;
    }
    return found?.isReady === true && !found.isLeaving && !found.isMoving && found.isCurrent ? found : undefined;
  }

  async #move(move: Move): Promise<void> {
    const { fleet, moves, log } = this.#parts;
    const copy = this.#copyOf(move);
    const target = fleet.backends.get(move.to);
    if (copy === undefined || target === undefined) return;
    this.#underWay++;
    try {
      // It displaces nothing: who is given its share has room.
      await moves.move(copy, target, false);
      this.copiesMoved++;
    } catch (fault) {
      const reason = SkeinError.from(fault).message;
      log('copy could not be moved to a backend that holds too little', { model: move.model, to: move.to, reason });
    } finally {
      this.#underWay--;
      this.#tickAtMs = 0; // the next one need not wait for its turn
    }
  }
}
