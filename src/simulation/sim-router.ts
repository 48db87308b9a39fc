import { RequestRate } from '../router/mesh/request-rate.ts';
import { place } from '../router/placement/place.ts';
import { chooseCopy } from '../router/routing/choose-copy.ts';
import { decideHold } from '../router/routing/hold.ts';
import type { FleetShape } from './fleet-shape.ts';
import { FleetSight, placementModel } from './fleet-sight.ts';
import type { Random } from './seeded-random.ts';
import type { SimBackend } from './sim-backend.ts';
import type { LoadCause, SimCopy } from './sim-copy.ts';
import type { SimModel } from './sim-model.ts';
import type { Tally } from './tally.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** One request on its way. */
interface SimRequest {
  readonly model: SimModel;
  readonly sentAtMs: number;
  attempts: number;
  /** A ready copy took it at once. */
  wasHit: boolean;
  readonly excluded: Set<SimCopy>;
  readonly done: (outcome: 'answered' | 'refused') => void;
}

/** One load that requests wait for. */
interface ColdStart {
  readonly model: SimModel;
  readonly held: Set<SimRequest>;
  readyAtMs: number;
  readonly refusedBy: Set<string>;
  at: SimBackend | undefined;
}

export interface RouterParts {
  readonly clock: VirtualClock;
  readonly shape: FleetShape;
  readonly random: Random;
  readonly tally: Tally;
}

const maxAttempts = 5;

/** A router: chooses copies, holds, loads on demand. Its decisions are those of router/placement and router/routing. */
export class SimRouter {
  readonly id: string;
  readonly sight: FleetSight;
  readonly #parts: RouterParts;
  readonly #starts = new Map<SimModel, ColdStart>();
  readonly #rates = new Map<SimModel, RequestRate>();
  /** Requests since the scaler looked last. */
  readonly arrivals = new Map<SimModel, number>();
  #held = 0;

  constructor(id: string, lateMs: number, parts: RouterParts) {
    this.id = id;
    this.sight = new FleetSight(parts.clock, lateMs);
    this.#parts = parts;
  }

  heldFor(model: SimModel): number {
    return this.#starts.get(model)?.held.size ?? 0;
  }

  isStarting(model: SimModel): boolean {
    return this.#starts.has(model);
  }

  /** Bytes per second that the model is asked for, as far as this router sees. */
  demandOf(model: SimModel): number {
    return (this.#rates.get(model)?.perSecond(this.#parts.clock.nowMs) ?? 0) * model.bytes;
  }

  receive(request: SimRequest): void {
    const { model } = request;
    const { nowMs } = this.#parts.clock;
    const rate = this.#rates.get(model) ?? new RequestRate();
    this.#rates.set(model, rate);
    rate.record(nowMs);
    this.arrivals.set(model, (this.arrivals.get(model) ?? 0) + 1);
    request.wasHit = this.#dispatch(request);
    this.#parts.tally.received(request.wasHit, nowMs);
  }

  /** True where a ready copy took it at once. */
  #dispatch(request: SimRequest): boolean {
    const { clock, shape, random } = this.#parts;
    const ready = this.sight.readyCopies(request.model).filter((copy) => !request.excluded.has(copy));
    const copy = ready[chooseCopy(ready, random)];
    if (copy === undefined) {
      this.#hold(request);
      return false;
    }
    request.attempts += 1;
    clock.after(shape.linkMs, () => {
      if (copy.state !== 'ready' || copy.backend.isGone) this.#onFailed(request, copy);
      else {
        copy.backend.run(
          copy,
          () => clock.after(shape.linkMs, () => request.done('answered')),
          () => this.#onFailed(request, copy),
        );
      }
    });
    return true;
  }

  #onFailed(request: SimRequest, copy: SimCopy): void {
    const { clock, shape, tally } = this.#parts;
    clock.after(shape.linkMs, () => {
      this.sight.noteGone(copy);
      if (copy.backend.isGone) this.sight.onGone(copy.backend, clock.nowMs);
      request.excluded.add(copy);
      tally.retries += 1;
      if (request.attempts >= maxAttempts) request.done('refused');
      else this.#dispatch(request);
    });
  }

  #hold(request: SimRequest): void {
    const { clock, shape } = this.#parts;
    const { model } = request;
    const start = this.#startOf(model);
    const view = { heldForModel: start.held.size, heldTotal: this.#held, readyAtMs: start.readyAtMs, runMs: 0 };
    const deadlineMs = request.sentAtMs + shape.timeoutMs;
    const decision = decideHold(view, deadlineMs, shape.hold, clock.nowMs);
    if (decision.kind === 'refuse') request.done('refused');
    else {
      start.held.add(request);
      this.#held += 1;
      clock.at(decision.untilMs, () => {
        if (!start.held.delete(request)) return;
        this.#held -= 1;
        request.done('refused');
      });
    }
    this.#run(start);
  }

  #startOf(model: SimModel): ColdStart {
    let start = this.#starts.get(model);
    if (start === undefined) {
      const readyAtMs = this.#parts.clock.nowMs + model.loadMs;
      start = { model, held: new Set(), readyAtMs, refusedBy: new Set(), at: undefined };
      this.#starts.set(model, start);
    }
    return start;
  }

  #run(start: ColdStart): void {
    if (start.at !== undefined || this.#starts.get(start.model) !== start) return;
    const { model, refusedBy } = start;
    const question = {
      model: placementModel(model, this.demandOf(model)),
      copies: this.sight.placedCopies(model),
      excluded: refusedBy,
    };
    const best = place(this.sight.placementBackends(), question, this.#parts.shape.placement).candidates[0];
    start.at = best === undefined ? undefined : this.sight.find(best.backendId);
    if (start.at === undefined) this.#later(start);
    else this.loadOn(model, start.at, true, 'request', (isReady) => this.#onLoaded(start, isReady));
  }

  #onLoaded(start: ColdStart, isReady: boolean): void {
    if (isReady) {
      this.#finish(start);
      return;
    }
    start.refusedBy.add(start.at!.id);
    start.at = undefined;
    this.#later(start);
  }

  #later(start: ColdStart): void {
    this.#parts.clock.after(50, () => {
      if (this.#starts.get(start.model) !== start) return;
      if (start.held.size === 0) this.#starts.delete(start.model);
      else if (this.sight.readyCopies(start.model).length > 0) this.#finish(start);
      else {
        this.#run(start);
        if (start.at === undefined) start.refusedBy.clear();
      }
    });
  }

  /** A copy is ready, be it another router's: whoever waits goes on. */
  onReady(model: SimModel): void {
    const start = this.#starts.get(model);
    if (start !== undefined && this.sight.readyCopies(model).length > 0) this.#finish(start);
  }

  #finish(start: ColdStart): void {
    if (this.#starts.get(start.model) !== start) return;
    this.#starts.delete(start.model);
    this.#held -= start.held.size;
    for (const request of start.held) this.#dispatch(request);
    start.held.clear();
  }

  /** Asks a node for a copy and hears of it one link later. */
  loadOn(
    model: SimModel,
    backend: SimBackend,
    wanted: boolean,
    cause: LoadCause,
    done: (isReady: boolean) => void,
  ): void {
    const { clock, shape, tally } = this.#parts;
    this.sight.promise(backend, model.bytes);
    clock.after(shape.linkMs, () => {
      if (!backend.copies.has(model)) tally.loadBegan(model, cause, clock.nowMs);
      backend.load(model, wanted, cause, (isReady) =>
        clock.after(shape.linkMs, () => {
          this.sight.promise(backend, -model.bytes);
          const copy = backend.copies.get(model);
          if (isReady && copy !== undefined) this.sight.noteReady(copy);
          done(isReady);
        }),
      );
    });
  }
}
