import { SkeinError } from '../../protocol/errors.ts';
import type { CopySpec } from '../../protocol/link/messages.ts';
import { place } from '../placement/place.ts';
import { decideHold, type HoldLimits } from '../routing/hold.ts';
import type { BackendView } from './backend-view.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { LoadFailure, ModelEntry } from './model-entry.ts';
import { questionOf } from './placement-question.ts';

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
  readonly held: Set<HeldRequest>;
  readonly startedMs: number;
  readyAtMs: number;
  /** Backends that could not take it in this attempt. */
  readonly refusedBy: Map<string, SkeinError>;
  /** Loads whose backend was lost before they were done. */
  lostLoads: number;
  /** Somebody waits for it now, or did: it may displace others. */
  wanted: boolean;
  /** The backend that loads it now. */
  at: BackendView | undefined;
  readonly done: PromiseWithResolvers<void>;
}

/** A load that failed is not tried again for so long at first; every further failure doubles it. */
const firstBackoffMs = 1_000;
const maxBackoffMs = 60_000;

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
  readonly #starts = new Map<string, ColdStart>();
  #heldTotal = 0;
  #meanLoadMs = guessedLoadMs;
  /** Requests that found no ready copy. */
  coldRequests = 0;
  loadsStarted = 0;
  loadsFailed = 0;

  constructor(fleet: FleetView, limits: HoldLimits) {
    this.#fleet = fleet;
    this.#limits = limits;
    fleet.onChange(() => this.#onFleetChange());
  }

  get heldTotal(): number {
    return this.#heldTotal;
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

  /** Holds the request until the model is ready, or refuses it at once with the reason. */
  hold(entry: ModelEntry, version: number, request: HeldRequest): void {
    const nowMs = performance.now();
    this.coldRequests++;
    const failure = currentFailure(entry, nowMs);
    if (failure !== undefined) {
      request.onRefused(unservable(entry, failure.error));
      return;
    }
    const unreachable = externalTrouble(this.#fleet, entry);
    if (unreachable !== undefined) {
      request.onRefused(unreachable);
      return;
    }
    const start = this.#startOf(entry, version, nowMs);
    const view = {
      heldForModel: start.held.size,
      heldTotal: this.#heldTotal,
      readyAtMs: start.readyAtMs,
      runMs: 0,
    };
    const decision = decideHold(view, request.deadlineMs, this.#limits, nowMs);
    if (decision.kind === 'refuse') {
      request.onRefused(refusalError(decision, entry, start, nowMs));
      if (start.held.size === 0) this.#run(start, true); // the next one will find it ready
      return;
    }
    start.held.add(request);
    this.#heldTotal++;
    this.#run(start, true);
  }

  /** The request is not wanted any more. The load goes on: somebody asked for the model. */
  release(entry: ModelEntry, version: number, request: HeldRequest): void {
    if (this.#starts.get(keyOf(entry, version))?.held.delete(request)) this.#heldTotal--;
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

  /** Ends the waits whose time is over. Called a few times a second. */
  sweep(nowMs: number): void {
    for (const start of this.#starts.values()) {
      for (const request of start.held) {
        const limitMs = Math.min(request.deadlineMs, start.startedMs + this.#limits.maxHoldMs);
        if (nowMs < limitMs) continue;
        start.held.delete(request);
        this.#heldTotal--;
        request.onRefused(lateError(start, nowMs));
      }
      // No request waits and nobody loads it: it was asked for when no backend could take it.
      const givenUp = start.refusedBy.size > 0 || nowMs > start.startedMs + patienceMs;
      if (start.held.size === 0 && start.at === undefined && givenUp) this.#finish(start, lastRefusal(start));
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
        held: new Set(),
        startedMs: nowMs,
        readyAtMs: nowMs + expectedMs,
        refusedBy: new Map(),
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
    this.loadsStarted++;
    const startMs = performance.now();
    try {
      const facts = await session.load(specOf(entry, version, wanted));
      this.#meanLoadMs += (performance.now() - startMs - this.#meanLoadMs) * 0.1;
      this.#fleet.applyCopy(view, facts);
      this.#finish(start, undefined);
    } catch (fault) {
      this.loadsFailed++;
      if (start.at !== view) return; // it went on elsewhere when this backend fell silent
      const error = SkeinError.from(fault);
      start.at = undefined;
      if (error.code === 'link_broken' && view.record.kind === 'skein') this.#onLostLoad(start, wanted);
      else if (error.mayRetry) {
        start.refusedBy.set(view.record.id, error);
        this.#run(start, wanted);
        if (start.at === undefined) this.#retryLater(start);
      } else {
        rememberFailure(entry, error, performance.now());
        this.#finish(start, error);
      }
    } finally {
      view.promisedBytes = Math.max(0, view.promisedBytes - expectedBytes);
    }
  }

  /** Where no other backend can take it now, it goes on when one is back. */
  #onLostLoad(start: ColdStart, wanted: boolean): void {
    if (++start.lostLoads < maxLostLoads) {
      this.#run(start, wanted);
      return;
    }
    const { entry, version } = start;
    const reason = `the backend ended ${start.lostLoads} times while it loaded this model`;
    const error = new SkeinError('load_failed', { model: entry.name, version, reason });
    rememberFailure(entry, error, performance.now());
    this.#finish(start, error);
  }

  /** Every backend is full of copies in use: room comes when one of them is done. */
  #retryLater(start: ColdStart): void {
    setTimeout(() => {
      start.refusedBy.clear();
      this.#run(start, true);
    }, 50).unref();
  }

  /** The silent backend's load may still come to an end: whichever is first counts. */
  #goElsewhere(start: ColdStart): void {
    const silent = start.at;
    start.at = undefined;
    this.#run(start, true);
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
    return best === undefined ? undefined : this.#fleet.backends.get(best.backendId);
  }

  #finish(start: ColdStart, error: SkeinError | undefined): void {
    if (this.#starts.get(start.key) !== start) return; // another backend was first
    this.#starts.delete(start.key);
    this.#heldTotal -= start.held.size;
    if (error === undefined) {
      start.done.resolve();
      for (const request of start.held) request.onReady();
    } else {
      start.done.reject(error);
      for (const request of start.held) request.onRefused(unservable(start.entry, error));
    }
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

function keyOf(entry: ModelEntry, version: number): string {
  return `${entry.name}\n${version}\n${entry.stampOf(version)}`;
}

export function specOf(entry: ModelEntry, version: number, wanted: boolean): CopySpec {
  return {
    model: entry.name,
    version,
    directory: entry.repository?.path ?? '',
    stamp: entry.stampOf(version),
    pinned: entry.isPinned,
    wanted,
    ...(entry.configOverride === undefined ? {} : { configOverride: entry.configOverride }),
  };
}

function hasReadyCopy({ entry, version }: ColdStart): boolean {
  return (entry.activity?.ready(entry, version) ?? []).some(
    (copy: CopyView) => copy.facts.stamp === entry.stampOf(version),
  );
}

/** Why a model that only external servers have can be neither asked for nor loaded now; undefined where it can. */
function externalTrouble(fleet: FleetView, entry: ModelEntry): SkeinError | undefined {
  if (entry.repository !== undefined || entry.external === undefined) return undefined;
  const views = [...entry.external].map((id) => fleet.backends.get(id));
  const up = views.filter((view) => view?.standing === 'up');
  if (up.some((view) => view?.session?.can.load)) return undefined;
  if (up.length > 0) return new SkeinError('model_unavailable', { model: entry.name });
  const detail = views.map((view) => `'${view?.record.id}' does not answer (${view?.reason ?? 'removed'})`).join(', ');
  return new SkeinError('no_backend', { model: entry.name, detail, retryAfterSeconds: 1 });
}

/** A server of the organisation's own that has the model and can be told to load it. */
function externalLoader(fleet: FleetView, entry: ModelEntry, excluded: ReadonlySet<string>): BackendView | undefined {
  for (const id of entry.external ?? []) {
    const view = fleet.backends.get(id);
    if (view?.session?.can.load && view.standing === 'up' && !excluded.has(id)) return view;
  }
  return undefined;
}

function connected(view: BackendView | undefined, excluded: ReadonlySet<string>): BackendView | undefined {
  return view?.standing === 'up' && !excluded.has(view.record.id) ? view : undefined;
}

function currentFailure(entry: ModelEntry, nowMs: number): LoadFailure | undefined {
  const failure = entry.activity?.failure;
  return failure !== undefined && failure.stamp === entry.stamp && nowMs < failure.untilMs ? failure : undefined;
}

/** What a request is told of a load that cannot succeed; whoever asks for the load itself hears the error as it is. */
function unservable(entry: ModelEntry, error: SkeinError): SkeinError {
  if (error.kind !== 'invalid' && error.kind !== 'unsupported') return error;
  const reason = error.code === 'load_failed' ? error.facts['reason']! : error.message;
  return new SkeinError('model_failed', { model: entry.name, reason }, { cause: error });
}

function rememberFailure(entry: ModelEntry, error: SkeinError, nowMs: number): void {
  const activity = entry.active();
  const backoffMs = Math.min(maxBackoffMs, (activity.failure?.backoffMs ?? firstBackoffMs / 2) * 2);
  activity.failure = { error, stamp: entry.stamp, untilMs: nowMs + backoffMs, backoffMs };
}

function refusalError(
  decision: { code: 'model_loading' | 'hold_full'; retryAfterSeconds: number },
  entry: ModelEntry,
  start: ColdStart,
  nowMs: number,
): SkeinError {
  return new SkeinError(decision.code, {
    model: entry.name,
    depth: start.held.size,
    seconds: Math.max(1, Math.ceil((start.readyAtMs - nowMs) / 1000)),
    retryAfterSeconds: decision.retryAfterSeconds,
  });
}

function lateError(start: ColdStart, nowMs: number): SkeinError {
  if (start.at === undefined) return lastRefusal(start);
  const seconds = Math.max(1, Math.ceil((start.readyAtMs - nowMs) / 1000));
  return new SkeinError('model_loading', { model: start.entry.name, seconds, retryAfterSeconds: seconds });
}

function lastRefusal(start: ColdStart): SkeinError {
  const model = start.entry.name;
  return (
    [...start.refusedBy.values()].at(-1) ??
    new SkeinError('no_backend', { model, detail: 'none is connected that could take it', retryAfterSeconds: 1 })
  );
}
