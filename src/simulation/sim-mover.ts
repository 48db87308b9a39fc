import { type FleetPicture, type Move, type PlannedModel, plan } from '../router/placement/plan.ts';
import { Rebalancer } from '../router/placement/rebalancer.ts';
import { placementModel } from './fleet-sight.ts';
import type { SimBackend } from './sim-backend.ts';
import type { SimModel } from './sim-model.ts';
import type { RouterParts, SimRouter } from './sim-router.ts';

/** Moves of a drain under way at once, of one router. */
const drainsAtOnce = 4;

/** Something leaves the node that it comes from, or the node that it goes to has too little. */
export type MoveReason = 'drain' | 'join';

interface MoverParts extends RouterParts {
  readonly models: readonly SimModel[];
  readonly routers: number;
  /** This router's among them, from 0. */
  readonly position: number;
  readonly isOurs: (model: SimModel) => boolean;
  readonly onMoved: (move: Move, why: MoveReason) => void;
}

/** Moves copies: loads first, and only then unloads. For the models that one router owns. */
export class SimMover {
  readonly #router: SimRouter;
  readonly #parts: MoverParts;
  readonly #rebalancer = new Rebalancer();
  readonly #byName: ReadonlyMap<string, SimModel>;
  readonly #draining: Move[] = [];
  #underWay = 0;

  constructor(router: SimRouter, parts: MoverParts, byName: ReadonlyMap<string, SimModel>) {
    this.#router = router;
    this.#parts = parts;
    this.#byName = byName;
  }

  get isBusy(): boolean {
    return this.#underWay + this.#draining.length > 0;
  }

  /** Plans for what must leave nodes that drain, as far as this router knows of them. */
  drain(): void {
    const moves = plan(this.#picture()).moves.filter(({ model }) => this.#isOurs(model));
    this.#draining.push(...moves);
    this.#pump();
  }

  /** Gives newcomers their share. */
  tick(): void {
    const { clock, routers, position } = this.#parts;
    const view = {
      fleet: this.#router.sight.placementBackends().filter(({ state }) => state === 'ready'),
      picture: () => this.#picture(),
      part: { isOurs: (name: string) => this.#isOurs(name), position, routers },
      underWay: this.#underWay,
      isCurrent: (move: Move) => this.#isCurrent(move),
    };
    for (const move of this.#rebalancer.tick(view, clock.nowMs)) this.#begin(move, 'join');
  }

  #isOurs(name: string): boolean {
    return this.#parts.isOurs(this.#byName.get(name)!);
  }

  #isCurrent({ model, from, to }: Move): boolean {
    const placed = this.#router.sight.placedCopies(this.#byName.get(model)!);
    const isAt = (id: string) => placed.some(({ backendId }) => backendId === id);
    return isAt(from) && !isAt(to);
  }

  #pump(): void {
    while (this.#underWay < drainsAtOnce && this.#draining.length > 0) this.#begin(this.#draining.shift()!, 'drain');
  }

  #begin(move: Move, why: MoveReason): void {
    const { clock, shape, onMoved } = this.#parts;
    const { sight } = this.#router;
    const model = this.#byName.get(move.model)!;
    const to = sight.find(move.to);
    const from = sight.find(move.from);
    if (to === undefined || from === undefined) return;
    this.#underWay += 1;
    this.#router.loadOn(model, to, false, 'move', (isReady) => {
      this.#underWay -= 1;
      const copy = from.copies.get(model);
      if (isReady) {
        onMoved(move, why);
        if (copy !== undefined) {
          sight.noteGone(copy);
          // Other routers go on sending there until they know of the new one.
          clock.after(shape.skewMs + shape.linkMs, () => from.unload(copy));
        }
      }
      this.#pump();
    });
  }

  #picture(): FleetPicture {
    const { sight } = this.#router;
    const models: PlannedModel[] = [];
    for (const model of this.#parts.models) {
      if (model.copies.length === 0) continue;
      const copies = sight.placedCopies(model);
      if (copies.length === 0) continue;
      models.push({ ...placementModel(model, this.#router.demandOf(model)), copies, loadMs: model.loadMs });
    }
    return { backends: sight.placementBackends(), models };
  }
}

/** Copies that a node holds or loads. */
export function heldCopies(backend: SimBackend): number {
  return backend.copies.size;
}
