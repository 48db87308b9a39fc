import type { PlacedCopy, PlacementBackend, PlacementModel } from '../router/placement/snapshot.ts';
import type { SimBackend } from './sim-backend.ts';
import type { SimCopy } from './sim-copy.ts';
import type { SimModel } from './sim-model.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The fleet as one router knows it: everything a little late, and what it asked for itself at once. */
export class FleetSight {
  readonly #clock: VirtualClock;
  readonly #lateMs: number;
  readonly #backends = new Map<
    string,
    { readonly backend: SimBackend; readonly knownAtMs: number; goneAtMs: number }
  >();
  /** Bytes of loads that this router asked for. */
  readonly #promised = new Map<SimBackend, number>();
  /** Copies that it knows better than from states: answers of loads, and refusals. */
  readonly #knownReady = new WeakSet<SimCopy>();
  readonly #knownGone = new WeakSet<SimCopy>();

  constructor(clock: VirtualClock, lateMs: number) {
    this.#clock = clock;
    this.#lateMs = lateMs;
  }

  get lateMs(): number {
    return this.#lateMs;
  }

  /** A node comes to be known, and later that it went. */
  onJoin(backend: SimBackend): void {
    this.#backends.set(backend.id, { backend, knownAtMs: this.#clock.nowMs + this.#lateMs, goneAtMs: Infinity });
  }

  onGone(backend: SimBackend, atMs: number): void {
    const known = this.#backends.get(backend.id);
    if (known !== undefined) known.goneAtMs = Math.min(known.goneAtMs, atMs);
  }

  find(id: string): SimBackend | undefined {
    return this.#backends.get(id)?.backend;
  }

  promise(backend: SimBackend, bytes: number): void {
    this.#promised.set(backend, Math.max(0, (this.#promised.get(backend) ?? 0) + bytes));
  }

  noteReady(copy: SimCopy): void {
    this.#knownReady.add(copy);
  }

  noteGone(copy: SimCopy): void {
    this.#knownGone.add(copy);
  }

  /** What placement is asked with. */
  placementBackends(): PlacementBackend[] {
    const { nowMs } = this.#clock;
    const seen: PlacementBackend[] = [];
    for (const [id, { backend, knownAtMs, goneAtMs }] of this.#backends) {
      if (goneAtMs <= nowMs) {
        this.#backends.delete(id);
        continue;
      }
      const state = knownAtMs > nowMs ? undefined : backend.states.seenAt(nowMs, this.#lateMs);
      if (state === undefined) continue;
      const promised = this.#promised.get(backend) ?? 0;
      seen.push(promised === 0 ? state : withPromised(state, promised));
    }
    return seen;
  }

  /** Copies that requests may be sent to. */
  readyCopies(model: SimModel): SimCopy[] {
    return model.copies.filter((copy) => this.isReady(copy));
  }

  isReady(copy: SimCopy): boolean {
    if (this.#knownGone.has(copy) || this.#isKnownGone(copy)) return false;
    return this.#knownReady.has(copy) || copy.readyToldMs + this.#lateMs <= this.#clock.nowMs;
  }

  placedCopies(model: SimModel): PlacedCopy[] {
    const placed: PlacedCopy[] = [];
    for (const copy of model.copies) {
      const { backend } = copy;
      if (this.isReady(copy)) placed.push({ backendId: backend.id, state: 'ready' });
      else if (this.#isComing(copy)) placed.push({ backendId: backend.id, state: 'loading' });
    }
    return placed;
  }

  comingCopies(model: SimModel): number {
    let coming = 0;
    for (const copy of model.copies) if (!this.isReady(copy) && this.#isComing(copy)) coming += 1;
    return coming;
  }

  #isComing(copy: SimCopy): boolean {
    const isTold = copy.comingToldMs + this.#lateMs <= this.#clock.nowMs;
    return isTold && !this.#knownGone.has(copy) && !this.#isKnownGone(copy);
  }

  #isKnownGone(copy: SimCopy): boolean {
    const goneAtMs = this.#backends.get(copy.backend.id)?.goneAtMs ?? -Infinity;
    return copy.goneToldMs + this.#lateMs <= this.#clock.nowMs || goneAtMs <= this.#clock.nowMs;
  }
}

/** As placement is asked about the model. */
export function placementModel(model: SimModel, demand: number): PlacementModel {
  return { name: model.name, version: 1, expectedBytes: model.bytes, demand, engine: 'onnx' };
}

function withPromised(state: PlacementBackend, bytes: number): PlacementBackend {
  const { id, engines, labels, usableBytes, usedBytes, assignedDemand, state: availability } = state;
  return {
    ...{ id, engines, labels, usableBytes, assignedDemand, state: availability },
    usedBytes: usedBytes + bytes,
    get evictionPrice() {
      return state.evictionPrice;
    },
  };
}
