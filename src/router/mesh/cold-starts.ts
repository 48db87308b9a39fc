import { SkeinError } from '../../protocol/errors.ts';
import type { CopyFacts } from '../../protocol/link/messages.ts';
import { place } from '../placement/place.ts';
import { decideHold, type HoldLimits } from '../routing/hold.ts';
import { decideLoadRetry } from '../routing/load-retry.ts';
import type { BackendView } from './backend-view.ts';
import { specOf } from './copy-spec.ts';
import type { CopyView } from './copy-view.ts';
import { externalLoader, externalTrouble } from './external-servers.ts';
import type { FleetView } from './fleet-view.ts';
import { heldTooLong, noBackend, notHeld, unservable } from './hold-refusals.ts';
import type { LoadTroubles } from './load-troubles.ts';
import type { ModelEntry } from './model-entry.ts';
import { questionOf } from './placement-question.ts';
import type { FleetReport } from './reports.ts';

/** A request that waits for a model to be ready. */
export interface HeldRequest {
  readonly deadlineMs: number;
  onReady(): void;
  onRefused(error: SkeinError): void;
}

/** One load that any number of requests wait for. */
interface ColdStart {
  /** Of the files as they were when it began: they may change before it ends. */
  readonly key: string;
  readonly entry: ModelEntry;
  readonly version: number;
  readonly stamp: string;
  readonly held: Set<HeldRequest>;
  readonly startedMs: number;
  readyAtMs: number;
  /** Backends that could not take it in this attempt. */
  readonly refusedBy: Map<string, SkeinError>;
  /** Attempts in which every backend refused. */
  rounds: number;
  lastRefusal: SkeinError | undefined;
  /** Loads whose backend was lost before they were done. */
  lostLoads: number;
  /** Somebody waits for it now, or did: it may displace others. */
  wanted: boolean;
  /** The backend that loads it now. */
  at: BackendView | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/** A model whose loads are lost with their processes so often in a row is taken to be what ends them. */
const maxLostLoads = 3;

/** How long a load that no request waits for is kept while no backend is there: one that was lost is soon back. */
const patienceMs = 10_000;

/** Before any load was measured. */
const guessedLoadMs = 500;

/** Loads on demand: one per model and version however many requests wait, each held within bounds. */
export class ColdStarts {
  readonly #fleet: FleetView;
  readonly #limits: HoldLimits;
  readonly #troubles: LoadTroubles;
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
    troubles: LoadTroubles,
    wake: (backendId: string) => void = () => {},
  ) {
    this.#fleet = fleet;
    this.#troubles = troubles;
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
      start.at = undefined;
      if (error.code === 'link_broken' && view.record.kind === 'skein') this.#onLostLoad(start, view);
      else if (error.mayRetry) {
        start.refusedBy.set(view.record.id, error);
        start.lastRefusal = error;
        this.#run(start, false);
        if (start.at === undefined) this.#onAllRefused(start, view, error);
      } else this.#fail(start, view, error);
    } finally {
      view.promisedBytes = Math.max(0, view.promisedBytes - expectedBytes);
    }
  }

  /** Where no other backend can take it now, it goes on when one is back. */
  #onLostLoad(start: ColdStart, view: BackendView): void {
    if (++start.lostLoads < maxLostLoads) {
      this.#run(start, false);
      return;
    }
    const { entry, version } = start;
    const reason = `the backend ended ${start.lostLoads} times while it loaded this model`;
    this.#fail(start, view, new SkeinError('load_failed', { model: entry.name, version, reason }));
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

  /** A backend came, or fell silent, or another router's load finished. */
  #onFleetChange(): void {
    for (const start of [...this.#starts.values()]) {
      if (start.at?.isStalled === true) this.#goElsewhere(start);
      if (start.at !== undefined) continue;
      if (hasReadyCopy(start)) this.#finish(start, undefined);
      else this.#run(start, false);
    }
  }
}

/** The router that decides about its copies counts them as load. */
function tellHeld({ entry, version, at, held }: ColdStart): void {
  if (at === undefined) return;
  for (const copy of entry.activity?.copies ?? [])
    if (copy.backend === at && copy.facts.version === version) copy.tellHeld(held.size);
}

function isDuplicate(entry: ModelEntry, { version, stamp }: CopyFacts, at: BackendView): boolean {
  return [...entry.active().copies].some(
    ({ facts, backend, isLeaving }) =>
      facts.version === version &&
      facts.stamp === stamp &&
      backend !== at &&
      backend.record.apart !== true &&
      backend.standing === 'up' &&
      !isLeaving &&
      (facts.phase === 'ready' || facts.phase === 'loading' || facts.phase === 'warming'),
  );
}

function keyOf(entry: ModelEntry, version: number): string {
  return `${entry.name}\n${version}\n${entry.stampOf(version)}`;
}

function hasReadyCopy({ entry, version }: ColdStart): boolean {
  return (entry.activity?.ready(entry, version) ?? []).some(
    (copy: CopyView) => copy.facts.stamp === entry.stampOf(version),
  );
}

function connected(view: BackendView | undefined, excluded: ReadonlySet<string>): BackendView | undefined {
  return view?.standing === 'up' && !excluded.has(view.record.id) ? view : undefined;
}

function refusedLast(start: ColdStart): SkeinError {
  return start.lastRefusal ?? noBackend(start.entry);
}

/** Its backend knows what stands before it in the lane of loads; until it has said so, the time of the last load counts. */
function expectedAtMs({ entry, version, at, readyAtMs }: ColdStart): number {
  for (const copy of entry.activity?.copies ?? []) {
    if (copy.backend === at && copy.facts.version === version && copy.readyAtMs !== undefined) return copy.readyAtMs;
  }
  return readyAtMs;
}
