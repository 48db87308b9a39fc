import { SkeinError } from '../../protocol/errors.ts';
import type { CopyFacts } from '../../protocol/link/messages.ts';
import type { VersionStatus } from '../../protocol/v1/model-status.ts';
import { explain } from '../placement/place.ts';
import { type FleetPicture, plan, planDrain } from '../placement/plan.ts';
import type { BackendView } from './backend-view.ts';
import type { Catalogue } from './catalogue.ts';
import type { ColdStarts } from './cold-starts.ts';
import type { CopyUpkeep } from './copy-upkeep.ts';
import type { CopyView } from './copy-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { IndexRow } from './mesh-port.ts';
import type { ModelEntry } from './model-entry.ts';
import { questionOf } from './placement-question.ts';
import { plannedModels } from './planned-models.ts';
import type { BackendReport, CopyReport, Explanation, ModelReport, ModelStanding, PlanReport } from './reports.ts';
import { versionStates } from './version-states.ts';

/** What the mesh tells people about itself. Reads, decides nothing; `explain` and `plan` ask the placement code itself. */
export class FleetReports {
  readonly #catalogue: Catalogue;
  readonly #fleet: FleetView;
  readonly #coldStarts: ColdStarts;
  readonly #upkeep: CopyUpkeep;

  constructor(catalogue: Catalogue, fleet: FleetView, coldStarts: ColdStarts, upkeep: CopyUpkeep) {
    this.#catalogue = catalogue;
    this.#fleet = fleet;
    this.#coldStarts = coldStarts;
    this.#upkeep = upkeep;
  }

  backends(): BackendReport[] {
    return [...this.#fleet.backends.values()].filter((view) => !view.isAsleep).map(reportBackend);
  }

  models(nowMs: number): ModelReport[] {
    return this.#catalogue.all().map((entry) => this.model(entry, nowMs));
  }

  model(entry: ModelEntry, nowMs: number): ModelReport {
    return {
      name: entry.name,
      versions: entry.versions,
      state: this.standing(entry),
      reason: this.#reason(entry),
      copies: [...(entry.activity?.copies ?? [])].map(reportCopy),
      requestsPerSecond: entry.activity?.rate.perSecond(nowMs) ?? 0,
    };
  }

  standing(entry: ModelEntry): ModelStanding {
    if (entry.isUnloaded) return 'unloaded';
    const copies = [...(entry.activity?.copies ?? [])];
    if (copies.some((copy) => copy.isReady)) return 'ready';
    if (this.#coldStarts.isLoading(entry)) return 'loading';
    return this.#reason(entry) === '' ? 'idle' : 'failed';
  }

  /** Of all versions, newest first, or of the one that is named. */
  versionStates(model: string, version: number | undefined): readonly VersionStatus[] {
    const entry = this.#catalogue.find(model);
    const states = entry === undefined ? [] : versionStates(entry);
    if (version === undefined) {
      if (states.length === 0) throw new SkeinError('versions_unknown', { model });
      return states;
    }
    const found = states.filter((state) => state.version === version);
    if (found.length === 0) throw new SkeinError('version_state_unknown', { model, version });
    return found;
  }

  index(): IndexRow[] {
    return this.#catalogue.all().flatMap((entry) => this.#indexRows(entry));
  }

  explain(entry: ModelEntry, nowMs: number): Explanation {
    const version = entry.newest ?? 0;
    const question = questionOf(entry, version, new Set(), this.#fleet.meanCopyBytes, nowMs);
    const { candidates } = explain(this.#fleet.placementBackends(nowMs), question);
    const decision = this.#upkeep.scaler.decisionOn(entry);
    return {
      model: entry.name,
      ...(decision !== undefined && { scaling: decision }),
      report: this.model(entry, nowMs),
      candidates,
      now: this.#nowSentence(entry, candidates[0]),
    };
  }

  plan(backendId: string | undefined, nowMs: number): PlanReport {
    const picture: FleetPicture = {
      backends: this.#fleet.placementBackends(nowMs),
      models: plannedModels(this.#fleet, nowMs),
    };
    const pace = this.#upkeep.movePace;
    const { moves, stranded, bytes, estimatedMs } =
      backendId === undefined ? plan(picture, pace) : planDrain(picture, backendId, pace);
    return {
      moves: moves.map(({ model, version, from, to, bytes: size }) => ({ model, version, from, to, bytes: size })),
      bytes,
      estimatedMs,
      homeless: stranded.map(({ model }) => model),
    };
  }

  /** Why a version is not served; where none is named, the one that a request without a version would load. */
  #reason(entry: ModelEntry, version = entry.newest ?? 0): string {
    if (entry.isUnloaded) return 'unloaded';
    const problem = entry.repository?.problem;
    if (problem !== undefined) return problem;
    const failure =
      this.#coldStarts.refusal(entry, version) ?? entry.activity?.failures.last(version, entry.stampOf(version));
    return failure?.message ?? '';
  }

  /** Triton lists a model that was never loaded by its name alone. */
  #indexRows(entry: ModelEntry): IndexRow[] {
    const { name, activity } = entry;
    const hasReason =
      this.#reason(entry) !== '' || entry.versions.some((version) => this.#reason(entry, version) !== '');
    if (!hasReason && (activity === undefined || activity.lastVersion === 0)) {
      return [{ name, version: undefined, state: 'UNKNOWN', reason: '' }];
    }
    const copies = [...(activity?.copies ?? [])];
    const loaded = new Set(copies.filter((copy) => copy.isReady).map((copy) => copy.facts.version));
    const versions = new Set([...entry.versions, ...loaded]);
    if (versions.size === 0) return [{ name, version: undefined, state: 'UNAVAILABLE', reason: this.#reason(entry) }];
    return [...versions].map((version) => {
      const reason = this.#reason(entry, version);
      if (loaded.has(version)) return { name, version, state: 'READY' as const, reason: '' };
      // A backend's word that it loads may be older than this router's knowledge that it failed.
      const isLoading =
        this.#coldStarts.isLoading(entry, version) ||
        (reason === '' && copies.some(({ facts }) => facts.version === version && isUnderWay(facts)));
      if (isLoading) return { name, version, state: 'LOADING' as const, reason: '' };
      return {
        name,
        version,
        state: 'UNAVAILABLE' as const,
        reason: reason || 'not in memory; the next request loads it',
      };
    });
  }

  #nowSentence(entry: ModelEntry, best: { backendId: string } | undefined): string {
    const ready = entry.activity?.ready(entry, undefined) ?? [];
    if (entry.isUnloaded) return 'refused: the model was unloaded by request; load it to serve it again';
    if (ready.length > 0) return `served by ${ready.map((copy) => copy.backend.record.id).join(', ')}`;
    const reason = this.#reason(entry);
    if (reason !== '') return `refused: ${reason}`;
    if (best === undefined) return 'held until a backend is there, then loaded';
    const { loadMs } = entry.active();
    return `would be loaded on ${best.backendId}${loadMs > 0 ? ` in about ${loadMs} ms` : ', for the first time'}`;
  }
}

function isUnderWay({ phase }: CopyFacts): boolean {
  return phase === 'loading' || phase === 'warming';
}

function reportBackend(view: BackendView): BackendReport {
  const { record, state } = view;
  return {
    id: record.id,
    kind: record.kind,
    address: record.address,
    state: view.standing,
    reason: view.reason === '' ? view.note : view.reason,
    pid: state.pid === 0 ? undefined : state.pid,
    ...(view.software !== undefined && { version: view.software }),
    budgetBytes: state.budgetBytes,
    usedBytes: state.usedBytes,
    evictionPrice: state.evictionPrice,
    loadsQueued: state.loadsQueued,
    evictions: state.evictions,
    ...(state.cores !== undefined && { cores: state.cores }),
    ...(state.sources !== undefined && { sources: state.sources }),
    copies: [...view.copies.values()].filter(({ facts }) => facts.phase !== 'failed').length,
    inFlight: view.inFlight,
    apart: record.apart === true,
  };
}

function fetchedPercent({ doneBytes, totalBytes }: NonNullable<CopyFacts['fetching']>): number {
  return totalBytes === 0 ? 0 : Math.floor((100 * doneBytes) / totalBytes);
}

function reportCopy(copy: CopyView): CopyReport {
  const { facts } = copy;
  return {
    backend: copy.backend.record.id,
    version: facts.version,
    phase: facts.phase,
    ...(facts.fetching !== undefined && { fetchedPercent: fetchedPercent(facts.fetching) }),
    residentBytes: facts.residentBytes,
    inFlight: copy.inFlight,
    latencyMs: copy.latencyMs,
    loadMs: facts.loadMs,
  };
}
