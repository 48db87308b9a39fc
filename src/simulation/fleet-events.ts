import type { Move } from '../router/placement/plan.ts';
import type { EventFigures } from './figures.ts';
import type { FleetEvent } from './fleet-shape.ts';
import type { SimBackend } from './sim-backend.ts';
import type { SimModel } from './sim-model.ts';
import { heldCopies, type MoveReason, type SimMover } from './sim-mover.ts';
import type { SimRouter } from './sim-router.ts';
import type { VirtualClock } from './virtual-clock.ts';

type Tracked = { -readonly [Key in keyof EventFigures]: EventFigures[Key] };

/** Nodes that come and go while the trace is replayed, and what that made of it. */
export class FleetEvents {
  readonly #clock: VirtualClock;
  readonly #startMs: number;
  readonly #addBackend: () => SimBackend;
  readonly #models: readonly SimModel[];
  readonly #tracked: Tracked[] = [];

  constructor(clock: VirtualClock, startMs: number, addBackend: () => SimBackend, models: readonly SimModel[]) {
    this.#clock = clock;
    this.#startMs = startMs;
    this.#addBackend = addBackend;
    this.#models = models;
  }

  figures(): readonly EventFigures[] {
    return this.#tracked;
  }

  schedule(
    events: readonly FleetEvent[],
    routers: readonly SimRouter[],
    movers: readonly SimMover[],
    backends: readonly SimBackend[],
  ): void {
    for (const event of events) {
      this.#clock.at(this.#startMs + event.atMs, () => {
        if (event.kind === 'join') this.#join(backends);
        else this.#leave(event, routers, movers, backends);
      });
    }
  }

  onMoved({ from, to }: Move, why: MoveReason): void {
    for (const event of this.#tracked) {
      if (event.kind !== why || event.node !== (why === 'join' ? to : from)) continue;
      event.moves += 1;
      event.tookMs = this.#clock.nowMs - this.#startMs - event.atMs;
    }
  }

  #join(backends: readonly SimBackend[]): void {
    let copies = 0;
    for (const { copies: own } of this.#models) for (const { state } of own) if (state === 'ready') copies += 1;
    const there = backends.filter(({ isGone }) => !isGone).length;
    const { id } = this.#addBackend();
    this.#track('join', id, copies / (there + 1));
  }

  #leave(
    { kind, node }: FleetEvent,
    routers: readonly SimRouter[],
    movers: readonly SimMover[],
    backends: readonly SimBackend[],
  ): void {
    const leaver = backends.find(({ id, isGone }) => !isGone && (node === undefined || id === node));
    if (leaver === undefined) return;
    this.#track(kind, leaver.id, heldCopies(leaver));
    if (kind === 'kill') {
      leaver.kill();
      // The broken link tells each router as soon as the news can be there.
      for (const { sight } of routers) sight.onGone(leaver, this.#clock.nowMs + sight.lateMs);
      return;
    }
    leaver.drain();
    routers.forEach(({ sight }, at) => {
      this.#clock.after(sight.lateMs + 1, () => movers[at]!.drain());
    });
    this.#leaveWhenEmpty(leaver, routers, movers);
  }

  /** Looks again a few times a second: what could not be moved goes with it after a minute. */
  #leaveWhenEmpty(leaver: SimBackend, routers: readonly SimRouter[], movers: readonly SimMover[], looks = 600): void {
    this.#clock.after(100, () => {
      const isBusy = heldCopies(leaver) > 0 || movers.some((mover) => mover.isBusy);
      if (isBusy && looks > 0) return this.#leaveWhenEmpty(leaver, routers, movers, looks - 1);
      leaver.kill();
      for (const { sight } of routers) sight.onGone(leaver, this.#clock.nowMs + sight.lateMs);
    });
  }

  #track(kind: FleetEvent['kind'], node: string, copies: number): void {
    const atMs = this.#clock.nowMs - this.#startMs;
    this.#tracked.push({ kind, node, atMs, copies, moves: 0, tookMs: 0 });
  }
}
