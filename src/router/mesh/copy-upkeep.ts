import type { MovePace } from '../placement/plan.ts';
import type { Catalogue } from './catalogue.ts';
import type { ColdStarts } from './cold-starts.ts';
import { copyLimits } from './copy-limits.ts';
import { CopyMoves, leaveMs } from './copy-moves.ts';
import { CopyScaler } from './copy-scaler.ts';
import { DrainMover, movesAtOnce } from './drain-mover.ts';
import type { FleetView } from './fleet-view.ts';
import { JoinMover } from './join-mover.ts';
import { ModelOwnership, type RouterNames } from './model-ownership.ts';

export interface UpkeepOptions {
  /** This router, and all that serve the same fleet, itself included; left out: it is alone. */
  readonly routers?: RouterNames;
  /** Copies of models that nobody asked for so long are given up; 0: only when memory is needed. */
  readonly maxIdleMs?: number;
  /** Copies moved in a second to backends that hold too little, by all routers together; 0: none. */
  readonly rebalancePerSecond?: number;
  /** Without a level: 'info'. */
  readonly log: (message: string, facts: Record<string, unknown>, level?: 'info' | 'warn') => void;
}

/** What becomes of copies without a request that asks for it: more or fewer of them, or other places. */
export class CopyUpkeep {
  readonly scaler: CopyScaler;
  readonly #fleet: FleetView;
  readonly #ownership: ModelOwnership;
  readonly #drains: DrainMover;
  readonly #joins: JoinMover;

  constructor(catalogue: Catalogue, fleet: FleetView, coldStarts: ColdStarts, options: UpkeepOptions) {
    const { routers, rebalancePerSecond: perSecond = 0, log } = options;
    const ownership = new ModelOwnership(routers);
    const moves = new CopyMoves(fleet);
    this.#fleet = fleet;
    this.#ownership = ownership;
    this.scaler = new CopyScaler(fleet, coldStarts, { ownership, limitsOf: copyLimits(options.maxIdleMs), log });
    this.#drains = new DrainMover(fleet, ownership, moves, log);
    this.#joins = new JoinMover({ catalogue, fleet, ownership, moves, perSecond, log });
  }

  /** How moves of a drain are carried out, all routers together. */
  get movePace(): MovePace {
    return { atOnce: movesAtOnce * this.#ownership.routers, overheadMs: this.#fleet.loadOverheadMs, leaveMs };
  }

  get figures() {
    return {
      copiesAdded: this.scaler.copiesAdded,
      copiesTrimmed: this.scaler.copiesTrimmed,
      copiesMoved: this.#drains.copiesMoved,
      copiesRebalanced: this.#joins.copiesMoved,
      movesQueued: this.#joins.queued,
    };
  }

  /** Called a few times a second. */
  tick(nowMs: number): void {
    this.#ownership.look();
    this.scaler.tick(nowMs);
    this.#drains.tick(nowMs);
    this.#joins.tick(nowMs);
  }
}
