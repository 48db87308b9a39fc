import { copyChanges } from '../router/scaling/copy-changes.ts';
import { CopyScaling } from '../router/scaling/copy-scaling.ts';
import { noCopyLimits, type ScaledModel } from '../router/scaling/snapshot.ts';
import { placementModel } from './fleet-sight.ts';
import type { SimModel } from './sim-model.ts';
import type { RouterParts, SimRouter } from './sim-router.ts';

/** Loads at once beside those of requests, as in copy-scaler.ts. */
const maxLoads = 2;
const retryMs = 5_000;

/** Carries out what router/scaling decides, for the models that one router owns. */
export class SimScaler {
  readonly #router: SimRouter;
  readonly #parts: RouterParts;
  readonly #routers: number;
  readonly #isOurs: (model: SimModel) => boolean;
  readonly #scaling = new CopyScaling();
  readonly #watched = new Set<SimModel>();
  readonly #retryAtMs = new Map<SimModel, number>();
  #loads = 0;

  constructor(router: SimRouter, parts: RouterParts, routers: number, isOurs: (model: SimModel) => boolean) {
    this.#router = router;
    this.#parts = parts;
    this.#routers = routers;
    this.#isOurs = isOurs;
  }

  /** `crowded`: models that may have more copies than one. */
  tick(crowded: Iterable<SimModel>): void {
    const { nowMs } = this.#parts.clock;
    const { arrivals } = this.#router;
    for (const model of arrivals.keys()) if (this.#isOurs(model)) this.#watched.add(model);
    for (const model of crowded) if (this.#isOurs(model)) this.#watched.add(model);
    const watched = [...this.#watched];
    const models = watched.map((model) => this.#modelOf(model, arrivals.get(model) ?? 0));
    arrivals.clear();
    const backends = this.#router.sight.placementBackends().filter(({ state }) => state === 'ready').length;
    // Each node of the simulation is a host of its own.
    const snapshot = { models, backends, hosts: backends, routers: this.#routers };
    const decisions = this.#scaling.tick(snapshot, nowMs);
    decisions.forEach((decision, at) => {
      const model = watched[at]!;
      const { readyCopies, comingCopies } = models[at]!;
      if (decision.wanted !== readyCopies + comingCopies) this.#change(model, decision);
      else if (readyCopies < 2 && this.#scaling.isQuiet(model.name, nowMs)) this.#watched.delete(model);
    });
  }

  #modelOf(model: SimModel, arrivals: number): ScaledModel {
    const ready = this.#router.sight.readyCopies(model);
    const coming = this.#router.sight.comingCopies(model);
    return {
      name: model.name,
      readyCopies: ready.length,
      comingCopies: this.#router.isStarting(model) ? Math.max(1, coming) : coming,
      slotsPerCopy: this.#parts.shape.runSlots,
      inFlight: ready.reduce((sum, { inFlight }) => sum + inFlight, 0),
      held: this.#router.heldFor(model),
      arrivals,
      limits: noCopyLimits,
    };
  }

  #change(model: SimModel, decision: { readonly wanted: number; readonly urgent: boolean }): void {
    const { clock, shape, tally } = this.#parts;
    const { sight } = this.#router;
    if ((this.#retryAtMs.get(model) ?? 0) > clock.nowMs) return;
    const copies = sight.placedCopies(model);
    // The first copy is the cold start's own.
    if (this.#router.isStarting(model) && copies.length === 0) return;
    const question = { model: placementModel(model, this.#router.demandOf(model)), copies };
    for (const change of copyChanges(sight.placementBackends(), question, decision, shape.placement)) {
      const backend = sight.find(change.backendId);
      if (backend === undefined) continue;
      if (change.kind === 'unload') {
        const copy = backend.copies.get(model);
        if (copy === undefined) continue;
        sight.noteGone(copy);
        tally.trims += 1;
        clock.after(shape.linkMs, () => backend.unload(copy));
      } else if (this.#loads < maxLoads) {
        this.#loads += 1;
        this.#retryAtMs.set(model, Infinity);
        this.#router.loadOn(model, backend, change.urgent, 'scale', (isReady) => {
          this.#loads -= 1;
          if (isReady) this.#retryAtMs.delete(model);
          else this.#retryAtMs.set(model, clock.nowMs + retryMs);
        });
      }
    }
  }
}
