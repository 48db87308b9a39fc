import type { BackendRecord } from '../../adapters/adapter.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { copyChanges } from '../scaling/copy-changes.ts';
import { CopyScaling } from '../scaling/copy-scaling.ts';
import { defaultScalingOptions } from '../scaling/options.ts';
import type { CopyDecision, CopyLimits, ScaledModel } from '../scaling/snapshot.ts';
import type { BackendView } from './backend-view.ts';
import type { ColdStarts } from './cold-starts.ts';
import { specOf } from './copy-spec.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelEntry } from './model-entry.ts';
import type { ModelOwnership } from './model-ownership.ts';
import { questionOf } from './placement-question.ts';

export interface ScalerOptions {
  /** Each router decides for the models that it owns. */
  readonly ownership: ModelOwnership;
  readonly limitsOf: (entry: ModelEntry) => CopyLimits;
  readonly log: (message: string, facts: Record<string, unknown>) => void;
}

/** How often loaded copies are looked through for those that other routers use or have loaded twice. */
const scanMs = 1_000;
/** Loads at once that this router asks for beside those of requests: they must not take the lanes from them. */
const maxLoads = 2;
/** A copy that could not be added is not tried again for so long. */
const retryMs = 5_000;

/** Sees to it that models have as many copies as their load calls for: of those that this router owns. */
export class CopyScaler {
  readonly #fleet: FleetView;
  readonly #coldStarts: ColdStarts;
  readonly #options: ScalerOptions;
  readonly #scaling = new CopyScaling();
  readonly #watched = new Set<ModelEntry>();
  #ownershipEpoch = 0;
  readonly #decisions = new Map<ModelEntry, CopyDecision>();
  readonly #retryAtMs = new Map<ModelEntry, number>();
  #loads = 0;
  #tickAtMs = 0;
  #scanAtMs = 0;
  /** Copies loaded beside the first, and copies given up because there were too many. */
  copiesAdded = 0;
  copiesTrimmed = 0;

  constructor(fleet: FleetView, coldStarts: ColdStarts, options: ScalerOptions) {
    this.#fleet = fleet;
    this.#coldStarts = coldStarts;
    this.#options = options;
  }

  /** A request came for it. In the path of every request: two additions. */
  noteRequest(entry: ModelEntry): void {
    const activity = entry.active();
    activity.arrivals++;
    if (activity.isWatched) return;
    activity.isWatched = true;
    this.#watched.add(entry);
  }

  /** It has limits that hold without requests. */
  watch(entry: ModelEntry): void {
    entry.active().isWatched = true;
    this.#watched.add(entry);
  }

  /** What was decided last; undefined for models of other routers, and those that nobody asks for. */
  decisionOn(entry: ModelEntry): CopyDecision | undefined {
    return this.#decisions.get(entry);
  }

  /** Called a few times a second; decides as often as the options say. */
  tick(nowMs: number): void {
    if (nowMs < this.#tickAtMs) return;
    this.#tickAtMs = nowMs + defaultScalingOptions.tickMs;
    if (nowMs >= this.#scanAtMs) this.#scan(nowMs);
    const { ownership } = this.#options;
    if (ownership.epoch !== this.#ownershipEpoch) this.#decisions.clear();
    this.#ownershipEpoch = ownership.epoch;
    const entries = [...this.#watched].filter((entry) => this.#isOurs(entry));
    const backends = this.#fleet.placementBackends(nowMs);
    const models = entries.map((entry) => this.#modelOf(entry));
    const able = backends.filter(({ state }) => state === 'ready').map(({ id }) => id);
    const hosts = new Set(able.map((id) => hostOf(this.#fleet.backends.get(id)!.record))).size;
    const snapshot = { models, backends: able.length, hosts, routers: ownership.routers };
    const decisions = this.#scaling.tick(snapshot, nowMs);
    decisions.forEach((decision, at) => {
      const entry = entries[at]!;
      this.#decisions.set(entry, decision);
      const { readyCopies, comingCopies } = models[at]!;
      if (decision.wanted !== readyCopies + comingCopies) this.#change(entry, decision, nowMs);
      else if (this.#isQuiet(entry, readyCopies, nowMs)) this.#unwatch(entry);
    });
  }

  /** Copies that this router has not asked for may be busy with requests of others, or be one too many. */
  #scan(nowMs: number): void {
    this.#scanAtMs = nowMs + scanMs;
    for (const { copies } of this.#fleet.backends.values()) {
      for (const { entry, inFlight, heldByOthers } of copies.values()) {
        const { activity } = entry;
        if (activity!.isWatched) continue;
        const { minCopies, maxIdleMs } = this.#options.limitsOf(entry);
        if (inFlight + heldByOthers > 0 || activity!.copies.size > 1 || minCopies + maxIdleMs > 0) this.watch(entry);
      }
    }
  }

  #isOurs(entry: ModelEntry): boolean {
    if (!isScaled(entry)) {
      if (this.#options.limitsOf(entry).minCopies === 0) this.#unwatch(entry);
      return false;
    }
    const isOurs = this.#options.ownership.isOurs(entry);
    // Another router looks after it: what came here is its owner's business, who sees it in the copies' states.
    if (!isOurs && this.#options.limitsOf(entry).minCopies === 0) this.#unwatch(entry);
    return isOurs;
  }

  #modelOf(entry: ModelEntry): ScaledModel {
    const activity = entry.active();
    const { arrivals } = activity;
    activity.arrivals = 0;
    const version = versionOf(entry);
    const stamp = version === undefined ? '' : entry.stampOf(version);
    const held = version === undefined ? undefined : this.#coldStarts.heldFor(entry, version);
    const figures = { readyCopies: 0, comingCopies: 0, inFlight: 0, slotsPerCopy: 1 };
    let moving = 0;
    let heldByOthers = 0;
    for (const copy of activity.copies) {
      const { facts } = copy;
      if (facts.version !== version || facts.stamp !== stamp || !isOwnCopy(copy)) continue;
      if (copy.isReady) {
        figures.readyCopies++;
        if (copy.isMoving) moving++;
        figures.inFlight += copy.inFlight;
        figures.slotsPerCopy = Math.max(figures.slotsPerCopy, facts.slots);
      } else if (facts.phase === 'loading' || facts.phase === 'warming') {
        figures.comingCopies++;
        heldByOthers += copy.heldByOthers;
      }
    }
    // A copy and its successor are one: or a model would seem to have had two, and be given another.
    const unborn = Math.min(moving, figures.comingCopies);
    figures.comingCopies -= unborn;
    if (moving > 0) figures.readyCopies = Math.max(1, figures.readyCopies - (moving - unborn));
    if (held !== undefined) figures.comingCopies = Math.max(1, figures.comingCopies);
    const heldByAll = (held ?? 0) + heldByOthers;
    return { name: entry.name, ...figures, held: heldByAll, arrivals, limits: this.#options.limitsOf(entry) };
  }

  #change(entry: ModelEntry, decision: CopyDecision, nowMs: number): void {
    const version = versionOf(entry);
    if (version === undefined || (this.#retryAtMs.get(entry) ?? 0) > nowMs) return;
    const isStarting = this.#coldStarts.heldFor(entry, version) !== undefined;
    // The first copy is the cold start's own, which knows where it has been refused.
    if (isStarting && entry.active().copies.size === 0) return;
    const question = questionOf(entry, version, new Set(), this.#fleet.meanCopyBytes, nowMs);
    for (const change of copyChanges(this.#fleet.placementBackends(nowMs), question, decision)) {
      const view = this.#fleet.backends.get(change.backendId);
      if (view?.session === undefined) continue;
      if (change.kind === 'unload') void this.#unload(entry, version, view);
      else if (this.#loads < maxLoads) void this.#load(entry, version, view, change.urgent, decision);
    }
  }

  async #load(
    entry: ModelEntry,
    version: number,
    view: BackendView,
    urgent: boolean,
    decision: CopyDecision,
  ): Promise<void> {
    const { log } = this.#options;
    const expectedBytes = entry.activity?.residentBytes || this.#fleet.meanCopyBytes;
    const facts = { model: entry.name, backend: view.record.id };
    // Until it is over, whatever its backend's state says of it meanwhile.
    this.#retryAtMs.set(entry, Infinity);
    view.promisedBytes += expectedBytes;
    this.#loads++;
    log('adding a copy', { ...facts, wanted: decision.wanted, mode: decision.mode, load: round(decision.panicLoad) });
    try {
      this.#fleet.applyCopy(view, await view.session!.load(specOf(entry, version, urgent)));
      this.copiesAdded++;
      this.#retryAtMs.delete(entry);
    } catch (fault) {
      log('a further copy did not load', { ...facts, reason: SkeinError.from(fault).message });
      this.#retryAtMs.set(entry, performance.now() + retryMs);
    } finally {
      this.#loads--;
      view.promisedBytes = Math.max(0, view.promisedBytes - expectedBytes);
    }
  }

  async #unload(entry: ModelEntry, version: number, view: BackendView): Promise<void> {
    const copy = [...view.copies.values()].find((one) => one.entry === entry && one.facts.version === version);
    if (copy === undefined || !copy.isReady || !view.session!.can.unload) return;
    this.copiesTrimmed++;
    this.#options.log('giving up a copy', { model: entry.name, backend: view.record.id });
    await copy.unload().catch(() => {}); // it stays, and is looked at again
  }

  #isQuiet(entry: ModelEntry, readyCopies: number, nowMs: number): boolean {
    const { minCopies, maxIdleMs } = this.#options.limitsOf(entry);
    const mustStay = minCopies > 0 || (maxIdleMs > 0 && readyCopies > 0);
    return !mustStay && this.#scaling.isQuiet(entry.name, nowMs);
  }

  #unwatch(entry: ModelEntry): void {
    this.#watched.delete(entry);
    this.#decisions.delete(entry);
    this.#retryAtMs.delete(entry);
    if (entry.activity === undefined) return;
    entry.activity.isWatched = false;
    entry.activity.arrivals = 0;
  }
}

/** Servers of somebody else, models out of service and those kept apart have the copies that they have. */
function isScaled(entry: ModelEntry): boolean {
  return entry.repository !== undefined && !entry.isUnloaded && entry.activity?.isolatedOn === undefined;
}

function isOwnCopy({ backend }: CopyView): boolean {
  return backend.record.kind === 'skein' && backend.record.apart !== true;
}

/** The one that requests which name none are served by; the others keep the copy that they have. */
function versionOf(entry: ModelEntry): number | undefined {
  return entry.activity?.ready(entry, undefined)[0]?.facts.version ?? entry.newest;
}

function round(load: number): number {
  return Math.round(10 * load) / 10;
}

/** Backends on a Unix socket are of this host, and share its cores; of others the address is all that is known. */
function hostOf({ address }: BackendRecord): string {
  return address.startsWith('unix:') ? 'unix:' : address;
}
