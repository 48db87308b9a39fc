import { SkeinError } from '../../protocol/errors.ts';
import { place } from '../placement/place.ts';
import { decideHold, type HoldLimits } from '../routing/hold.ts';
import { decideLoadRetry } from '../routing/load-retry.ts';
import type { BackendView } from './backend-view.ts';
import {
  type ColdStart,
  expectedAtMs,
  type HeldRequest,
  hasReadyCopy,
  isDuplicate,
  keyOf,
  refusedLast,
  tellHeld,
} from './cold-start.ts';
import { specOf } from './copy-spec.ts';
import { externalLoader, externalTrouble } from './external-servers.ts';
import type { FleetView } from './fleet-view.ts';
import { heldTooLong, notHeld, unservable } from './hold-refusals.ts';
import type { LoadTroubles } from './load-troubles.ts';
import type { LostLoads } from './lost-loads.ts';
import type { ModelEntry } from './model-entry.ts';
import { questionOf } from './placement-question.ts';
import type { FleetReport } from './reports.ts';

/** How long a load that no request waits for is kept while no backend is there: one that was lost is soon back. */
const patienceMs = 10_000;

/** Before any load was measured. */
const guessedLoadMs = 500;

/** Loads on demand: one per model and version however many requests wait, each held within bounds. */
export class ColdStarts {
  readonly #fleet: FleetView;
  readonly #limits: HoldLimits;
  readonly #troubles: LoadTroubles;
  readonly #lostLoads: LostLoads;
  readonly #starts = new Map<string, ColdStart>();
  readonly #held = new Map<HeldRequest, ColdStart>();
  #meanLoadMs = guessedLoadMs;
  /** Requests that found no ready copy. */
  #coldRequests = 0;
  #loadsStarted = 0;
  /** Loads that ended with a copy beside another one: two routers chose differently. */
  #duplicateLoads = 0;

  readonly #wake: (backendId: string) => void;

  /** `wake` starts a backend that runs on demand. */
  constructor(
    fleet: FleetView,
    limits: HoldLimits,
    { troubles, lostLoads }: { readonly troubles: LoadTroubles; readonly lostLoads: LostLoads },
    wake: (backendId: string) => void = () => {},
  ) {
    this.#fleet = fleet;
    this.#troubles = troubles;
    this.#lostLoads = lostLoads;
    this.#wake = wake;
    this.#limits = limits;
    fleet.onChange(() => this.#onFleetChange());
  }

  get totals(): Pick<FleetReport, 'coldRequests' | 'loads' | 'duplicateLoads'> {
    return { coldRequests: this.#coldRequests, loads: this.#loadsStarted, duplicateLoads: this.#duplicateLoads };
  }

  get heldTotal(): number {
    return this.#held.size;
  }

  get loading(): number {
    return this.#starts.size;
  }

  /** Any version of it, where none is named. */
  isLoading(entry: ModelEntry, version?: number): boolean {
    for (const start of this.#starts.values()) {
      if (start.entry === entry && (version === undefined || start.version === version)) return true;
    }
    return false;
  }

  /** Why nobody in the fleet loads it now, whoever found that out; undefined where it may be loaded. */
  refusal(entry: ModelEntry, version: number): SkeinError | undefined {
    return this.#lostLoads.refusal(entry, version);
  }

  /** Requests that wait here for this version of its present files; undefined: nobody here loads it. */
  heldFor(entry: ModelEntry, version: number): number | undefined {
    return this.#starts.get(keyOf(entry, version))?.held.size;
  }

  /** Holds the request until the model is ready, or refuses it at once with the reason. */
  hold(entry: ModelEntry, version: number, request: HeldRequest): void {
    const nowMs = performance.now();
    this.#coldRequests++;
    const failure = entry.activity?.failures.current(version, entry.stampOf(version), nowMs);
    const refusal = failure === undefined ? externalTrouble(this.#fleet, entry) : unservable(entry, failure);
    if (refusal !== undefined) {
      request.onRefused(refusal);
      return;
    }
    const start = this.#startOf(entry, version, nowMs);
    const view = {
      heldForModel: start.held.size,
      heldTotal: this.#held.size,
      readyAtMs: expectedAtMs(start),
      runMs: 0,
    };
    const decision = decideHold(view, request.deadlineMs, this.#limits, nowMs);
    if (decision.kind === 'refuse') {
      request.onRefused(notHeld(decision, entry, start.held.size));
      if (start.held.size === 0) this.#run(start, true); // the next one will find it ready
      return;
    }
    start.held.add(request);
    this.#held.set(request, start);
    this.#run(start, true);
  }

  /** The request is not wanted any more. The load goes on: somebody asked for the model. */
  release(request: HeldRequest): void {
    this.#held.get(request)?.held.delete(request);
    this.#held.delete(request);
  }

  /** Loads for somebody who asks about the model: held and refused as a request for it is. */
  ready(entry: ModelEntry, version: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.hold(entry, version, { deadlineMs: Infinity, onReady: resolve, onRefused: reject });
    });
  }

  /** Loads without a request that waits: preloads, new versions, the load call of the repository API. */
  async ensure(entry: ModelEntry, version: number, wanted: boolean): Promise<void> {
    const start = this.#startOf(entry, version, performance.now());
    this.#run(start, wanted);
    await start.done.promise;
  }

  /** An older version stands in for this one: it is loaded behind the requests that are served meanwhile. */
  loadBehind(entry: ModelEntry, version: number): void {
    const nowMs = performance.now();
    if (entry.activity?.failures.current(version, entry.stampOf(version), nowMs) !== undefined) return;
    this.#run(this.#startOf(entry, version, nowMs), false);
  }

  /** Ends the waits whose time is over. Called a few times a second. */
  sweep(nowMs: number): void {
    for (const start of this.#starts.values()) {
      tellHeld(start);
      for (const request of start.held) {
        const limitMs = Math.min(request.deadlineMs, start.startedMs + this.#limits.maxHoldMs);
        if (nowMs < limitMs) continue;
        this.release(request);
        const isUnderWay = start.at !== undefined && start.lastRefusal === undefined;
        request.onRefused(isUnderWay ? heldTooLong(start.entry, expectedAtMs(start) - nowMs) : refusedLast(start));
      }
      // No request waits and nobody loads it: it was asked for when no backend could take it.
      const givenUp = start.refusedBy.size > 0 || nowMs > start.startedMs + patienceMs;
      if (start.held.size === 0 && start.at === undefined && givenUp) {
        this.#finish(start, refusedLast(start), [...start.refusedBy.keys()].at(-1));
      }
    }
  }

  #startOf(entry: ModelEntry, version: number, nowMs: number): ColdStart {
    const key = keyOf(entry, version);
    let start = this.#starts.get(key);
    if (start === undefined) {
      const expectedMs = entry.activity?.loadMs || this.#meanLoadMs;
      start = {
        key,
        entry,
        version,
        stamp: entry.stampOf(version),
        held: new Set(),
        startedMs: nowMs,
        readyAtMs: nowMs + expectedMs,
        refusedBy: new Map(),
        rounds: 0,
        lastRefusal: undefined,
        lostLoads: 0,
        endTurn: undefined,
        wanted: false,
        at: undefined,
        done: Promise.withResolvers(),
      };
      start.done.promise.catch(() => {}); // most starts have only held requests, which are told one by one
      this.#starts.set(key, start);
    }
    return start;
  }

  #run(start: ColdStart, wanted: boolean): void {
    start.wanted ||= wanted;
    if (start.at !== undefined || this.#starts.get(start.key) !== start) return;
    const refusal = this.refusal(start.entry, start.version);
    if (refusal !== undefined) {
      this.#finish(start, refusal);
      return;
    }
    const view = this.#choose(start);
    if (view === undefined) return; // tried again when the fleet changes, given up by sweep
    start.at = view;
    void this.#load(start, view);
  }

  async #load(start: ColdStart, view: BackendView): Promise<void> {
    const { entry, version, wanted } = start;
    const session = view.session!;
    const expectedBytes = entry.activity?.residentBytes || this.#fleet.meanCopyBytes;
    view.promisedBytes += expectedBytes;
    const { endTurn } = start;
    this.#loadsStarted++;
    const startMs = performance.now();
    try {
      const facts = await session.load(specOf(entry, version, wanted));
      const tookMs = performance.now() - startMs;
      this.#meanLoadMs += (tookMs - this.#meanLoadMs) * 0.1;
      this.#fleet.noteLoad(tookMs, facts);
      this.#fleet.applyCopy(view, facts);
      if (isDuplicate(entry, facts, view)) this.#duplicateLoads++;
      entry.active().failures.forget(version);
      this.#finish(start, undefined);
    } catch (fault) {
      const error = SkeinError.from(fault);
      this.#troubles.count(error);
      if (start.at !== view) return; // it went on elsewhere when this backend fell silent
      if (error.code === 'link_broken' && view.record.kind === 'skein') {
        await this.#onLostLoad(start, view);
        return;
      }
      if (this.#starts.get(start.key) !== start) return; // a copy that came back serves those who waited
      start.at = undefined;
      if (error.mayRetry) {
        start.refusedBy.set(view.record.id, error);
        start.lastRefusal = error;
        this.#run(start, false);
        if (start.at === undefined) this.#onAllRefused(start, view, error);
      } else this.#fail(start, view, error);
    } finally {
      if (start.endTurn === endTurn) start.endTurn = undefined;
      void endTurn?.();
      view.promisedBytes = Math.max(0, view.promisedBytes - expectedBytes);
    }
  }

  /** Where no other backend can take it now, it goes on when one is back. */
  async #onLostLoad(start: ColdStart, view: BackendView): Promise<void> {
    const error = await this.#lostLoads.judge(start, view.record.id);
    if (start.at !== view || this.#starts.get(start.key) !== start) {
      // It went on elsewhere meanwhile, or is there.
      void start.endTurn?.();
      start.endTurn = undefined;
      return;
    }
    start.at = undefined;
    if (error !== undefined) this.#fail(start, view, error);
    else this.#run(start, false);
  }

  #fail(start: ColdStart, view: BackendView, error: SkeinError): void {
    const { entry, version, stamp } = start;
    entry.active().failures.remember(version, stamp, error, performance.now());
    entry.active().forgetReady();
    this.#finish(start, error, view.record.id);
  }

  #onAllRefused(start: ColdStart, view: BackendView, last: SkeinError): void {
    const decision = decideLoadRetry(
      [...start.refusedBy.values()],
      start.rounds++,
      performance.now() - start.startedMs,
    );
    if (decision.kind === 'fail') {
      this.#fail(start, view, last);
      return;
    }
    setTimeout(() => {
      start.refusedBy.clear();
      this.#run(start, false);
    }, decision.delayMs).unref();
  }

  /** The silent backend's load may still come to an end: whichever is first counts. */
  #goElsewhere(start: ColdStart): void {
    const silent = start.at;
    start.at = undefined;
    this.#run(start, false);
    start.at ??= silent;
  }

  #choose(start: ColdStart): BackendView | undefined {
    const nowMs = performance.now();
    const excluded = new Set(start.refusedBy.keys());
    const question = questionOf(start.entry, start.version, excluded, this.#fleet.meanCopyBytes, nowMs);
    const alone = start.entry.activity?.isolatedOn;
    if (alone !== undefined) return connected(this.#fleet.backends.get(alone), excluded);
    if (start.entry.repository === undefined) return externalLoader(this.#fleet, start.entry, excluded);
    const [best] = place(this.#fleet.placementBackends(nowMs), question).candidates;
    if (best !== undefined) return this.#fleet.backends.get(best.backendId);
    this.#wakeFor(question.model.engine);
    return undefined;
  }

  /** It goes on when that backend is connected. */
  #wakeFor(engine: string): void {
    for (const { record, standing } of this.#fleet.backends.values()) {
      if (record.onDemand === true && record.engines.includes(engine) && standing !== 'up') this.#wake(record.id);
    }
  }

  /** `backend`: the last that was tried. */
  #finish(start: ColdStart, error: SkeinError | undefined, backend = ''): void {
    if (this.#starts.get(start.key) !== start) return; // another backend was first
    this.#starts.delete(start.key);
    const { entry, version } = start;
    if (error === undefined) this.#troubles.forget(entry, version);
    else this.#troubles.note(entry, version, backend, error, performance.now());
    for (const request of start.held) this.#held.delete(request);
    if (error === undefined) {
      start.done.resolve();
      for (const request of start.held) request.onReady();
    } else {
      start.done.reject(error);
      for (const request of start.held) request.onRefused(unservable(start.entry, error));
    }
  }

  /** Resolves when no load of the model is under way any more, however those that are end. */
  async settled(entry: ModelEntry): Promise<void> {
    const own = [...this.#starts.values()].filter((start) => start.entry === entry);
    await Promise.allSettled(own.map((start) => start.done.promise));
  }

  /** A backend came, or fell silent, or another router's load finished, or a backend that was silent is back with its copies. */
  #onFleetChange(): void {
    for (const start of [...this.#starts.values()]) {
      if (hasReadyCopy(start)) this.#finish(start, undefined);
      else if (start.at?.isStalled === true) this.#goElsewhere(start);
      else if (start.at === undefined) this.#run(start, false);
    }
  }
}

function connected(view: BackendView | undefined, excluded: ReadonlySet<string>): BackendView | undefined {
  return view?.standing === 'up' && !excluded.has(view.record.id) ? view : undefined;
}
