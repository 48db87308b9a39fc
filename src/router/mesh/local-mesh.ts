import { performance } from 'node:perf_hooks';
import type { Adapter, BackendRecord, Exchange, ReplyObserver } from '../../adapters/adapter.ts';
import type { Registry } from '../../fleet/registry.ts';
import type { RepositoryChanges } from '../../fleet/repository/repository-model.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { NumberedTable } from '../../protocol/link/numbered-table.ts';
import type { VersionStatus } from '../../protocol/v1/model-status.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import { place } from '../placement/place.ts';
import { chooseCopy } from '../routing/choose-copy.ts';
import type { HoldLimits } from '../routing/hold.ts';
import { Quarantine, type QuarantineOptions } from '../routing/quarantine.ts';
import { RetryBudget } from '../routing/retry-budget.ts';
import { askRuns } from './ask-runs.ts';
import { askStatistics } from './ask-statistics.ts';
import { BackendConnector } from './backend-connector.ts';
import { Catalogue } from './catalogue.ts';
import { ColdStarts } from './cold-starts.ts';
import { ConvictionDesk } from './conviction-desk.ts';
import { CopyUpkeep, type UpkeepOptions } from './copy-upkeep.ts';
import type { CopyView } from './copy-view.ts';
import { CrashInquiry } from './crash-inquiry.ts';
import { externalTrouble } from './external-servers.ts';
import { findModel } from './find-model.ts';
import { FleetDesk } from './fleet-desk.ts';
import { FleetReports } from './fleet-reports.ts';
import { FleetSync } from './fleet-sync.ts';
import { FleetView } from './fleet-view.ts';
import { LoadTroubles } from './load-troubles.ts';
import { LostLoads } from './lost-loads.ts';
import type { IndexRow, LoadOverride, Mesh, MeshRequest, ModelDescription } from './mesh-port.ts';
import type { ModelEntry } from './model-entry.ts';
import { ModelIsolation } from './model-isolation.ts';
import { ModelRefresh } from './model-refresh.ts';
import type { OverrideStore } from './override-store.ts';
import { questionOf } from './placement-question.ts';
import type { ProcessKeeper } from './process-keeper.ts';
import type { CopyRunsReport, Explanation, FleetReport, ModelReport, PlanReport } from './reports.ts';
import { RepositoryCalls } from './repository-calls.ts';
import { RequestRun, type RunContext } from './request-run.ts';
import { noSiblings, type RouterSiblings } from './router-siblings.ts';
import { SuspectRunner } from './suspect-runner.ts';
import { within } from './within.ts';

export interface MeshOptions extends UpkeepOptions {
  readonly version: string;
  readonly adapters: readonly Adapter[];
  readonly processes: ProcessKeeper;
  readonly overrides: OverrideStore;
  /** Models that are never evicted. */
  readonly pinned?: ReadonlySet<string>;
  /** Router processes that share this one's port; left out: none do. */
  readonly siblings?: RouterSiblings;
  readonly hold: HoldLimits;
  readonly quarantine: QuarantineOptions;
  /** For requests that name no time of their own. */
  readonly requestTimeoutMs: number;
  /** Looks for one model in the repositories now rather than at the next poll. */
  readonly lookFor: (model: string) => Promise<void>;
}

/** How often deadlines and waits are looked at: what a late answer may be late by. */
const sweepMs = 50;

const retryOptions = { ratio: 0.2, floorPerSecond: 10, burst: 500 };

/** The mesh of one router process. */
export class LocalMesh implements Mesh {
  readonly repository: RepositoryCalls;
  readonly #options: MeshOptions;
  readonly #startedMs = performance.now();
  readonly #catalogue: Catalogue;
  readonly #fleet: FleetView;
  readonly #coldStarts: ColdStarts;
  readonly #upkeep: CopyUpkeep;
  readonly #troubles: LoadTroubles;
  readonly #sync: FleetSync;
  readonly #connector: BackendConnector;
  readonly #refresh: ModelRefresh;
  readonly #reports: FleetReports;
  readonly #inquiry: CrashInquiry;
  readonly convictions: ConvictionDesk;
  readonly #isolation: ModelIsolation;
  readonly #retries = new RetryBudget(retryOptions, performance.now());
  readonly #active = new NumberedTable<RequestRun>();
  readonly #context: RunContext;
  readonly #timer: NodeJS.Timeout;
  #retryCount = 0;

  constructor(options: MeshOptions) {
    this.#options = options;
    const { log, processes } = options;
    this.#catalogue = new Catalogue(options.pinned);
    this.#fleet = new FleetView(this.#catalogue);
    this.#troubles = new LoadTroubles(log);
    const quarantine = new Quarantine(options.quarantine);
    this.convictions = new ConvictionDesk(quarantine, log, options.siblings);
    const lostLoads = new LostLoads(processes, this.convictions);
    const wake = (id: string) => this.#connector.wake(id, processes);
    this.#coldStarts = new ColdStarts(this.#fleet, options.hold, { troubles: this.#troubles, lostLoads }, wake);
    this.#upkeep = new CopyUpkeep(this.#catalogue, this.#fleet, this.#coldStarts, options);
    this.#connector = new BackendConnector(this.#fleet, options.adapters, log);
    this.#refresh = new ModelRefresh(this.#coldStarts, log);
    const view = { catalogue: this.#catalogue, fleet: this.#fleet, connector: this.#connector };
    const { overrides, lookFor, siblings = noSiblings } = options;
    const parts = { catalogue: this.#catalogue, coldStarts: this.#coldStarts, refresh: this.#refresh };
    this.repository = new RepositoryCalls({ ...parts, overrides, lookFor, siblings, log });
    this.#sync = new FleetSync(
      view,
      (changes) => this.applyRepository(changes),
      (entry, isUnloaded) => this.repository.followFleet(entry, isUnloaded),
      log,
    );
    this.#reports = new FleetReports(this.#catalogue, this.#fleet, this.#coldStarts, this.#upkeep);
    const suspects = new SuspectRunner(this.#fleet, this.#connector, processes);
    this.#isolation = new ModelIsolation(quarantine, this.#connector, processes, log);
    this.#inquiry = new CrashInquiry(quarantine, this.convictions, processes, suspects, this.#isolation, log);
    this.#context = {
      choose: (entry, version, excluded) => this.#choose(entry, version, excluded),
      hold: (entry, version, request) => this.#coldStarts.hold(entry, version, request),
      release: (request) => this.#coldStarts.release(request),
      hasElsewhere: (entry, version, stalled, excluded) => this.#hasElsewhere(entry, version, stalled, excluded),
      mayRetry: () => this.#mayRetry(),
      onLost: (run, copy, error) => this.#inquiry.onLost(run, copy, error),
      onFinished: (run) => {
        this.#active.delete(run.number);
        suspects.finished(run);
      },
    };
    this.#timer = setInterval(() => this.#sweep(performance.now()), sweepMs).unref();
  }

  addBackend(record: BackendRecord): void {
    for (const model of record.models ?? []) this.#catalogue.addExternal(model, record.id);
    this.#connector.add(record);
  }

  /** Goes by what the registry says from now on: backends, models, routes, orders to drain. Returns where changes go. */
  follow(registry: Registry): FleetDesk {
    const desk = new FleetDesk(registry, (path) => findModel(this.#fleet, path));
    this.repository.desk = desk;
    registry.watch(this.#sync);
    this.convictions.shareThrough(registry, this.#options.routers?.self ?? '');
    return desk;
  }

  /** What a repository shows now. Copies that are out of date are replaced in the background. */
  applyRepository(changes: RepositoryChanges): void {
    for (const entry of this.#catalogue.apply(changes)) this.#refreshSoon(entry);
  }

  /** Loads models before anybody asks, a few at a time; failures are remembered as those of requests are. */
  async preload(names: readonly string[]): Promise<void> {
    const queue = [...names];
    const next = async (): Promise<void> => {
      for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
        const entry = this.#catalogue.find(name);
        for (const version of entry?.versions ?? [])
          await this.#coldStarts.ensure(entry!, version, false).catch(() => {});
      }
    };
    await Promise.all(Array.from({ length: preloadsAtOnce }, next));
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#connector.stop();
  }

  infer(request: MeshRequest, observer: ReplyObserver): Exchange {
    const nowMs = performance.now();
    const timeoutMs = request.timeoutMs || this.#options.requestTimeoutMs;
    let entry: ModelEntry;
    try {
      const routed = this.#catalogue.routed(request.model, Math.random());
      if (routed !== undefined)
        request = { ...request, model: routed.model, version: request.version ?? routed.version };
      entry = this.#servable(request.model, request.version);
    } catch (fault) {
      request.body.release();
      observer.onError(SkeinError.from(fault));
      return nothingUnderWay;
    }
    const activity = entry.active();
    activity.rate.record(nowMs);
    this.#upkeep.scaler.noteRequest(entry);
    this.#retries.earn();
    const run = new RequestRun(request, entry, { nowMs, deadlineMs: nowMs + timeoutMs }, this.#context, observer);
    this.#active.set(run.number, run);
    if (this.#inquiry.watches(request.model, nowMs)) this.#dispatchUnlessConvicted(run);
    else run.dispatch();
    return run;
  }

  isReady(): boolean {
    if (this.#sync.hasNoCatalogue) return false;
    for (const backend of this.#fleet.backends.values()) if (backend.standing === 'up') return true;
    return false;
  }

  isModelReady(name: string, wanted: number | undefined): boolean {
    const { model, version } = this.#target(name, wanted);
    const entry = this.#catalogue.find(model);
    if (entry === undefined || (version !== undefined && !entry.serves(version))) return false;
    const standing = this.#reports.standing(entry);
    if (standing === 'unloaded' || standing === 'failed') return false;
    if (standing === 'ready') return true;
    return entry.versionToLoad(version) !== undefined && externalTrouble(this.#fleet, entry) === undefined;
  }

  async describe(name: string, named: number | undefined): Promise<ModelDescription> {
    const { model, version } = this.#target(name, named);
    const entry = this.#servable(model, version);
    let copy = entry.active().ready(entry, version)[0];
    if (copy === undefined) {
      const wanted = entry.versionToLoad(version);
      if (wanted === undefined) throw new SkeinError('model_unavailable', { model });
      await this.#coldStarts.ready(entry, wanted);
      copy = entry.active().ready(entry, version)[0];
    }
    if (copy === undefined) throw new SkeinError('copy_gone', { model });
    const { requestTimeoutMs } = this.#options;
    const late = new SkeinError('deadline_passed', { ms: requestTimeoutMs, stage: 'before the description' });
    const description = await within(requestTimeoutMs, copy.session.describe(copy.facts), late);
    const versions =
      version !== undefined ? [version] : entry.versions.length > 0 ? entry.versions : [copy.facts.version];
    return { ...description, version: copy.facts.version, versions };
  }

  async statistics(model: string | undefined, version: number | undefined): Promise<readonly ModelStatistics[]> {
    if (model !== undefined) {
      const entry = this.#catalogue.find(model);
      if (entry === undefined) throw new SkeinError('model_unknown', { model });
      if (version !== undefined && !entry.serves(version)) throw new SkeinError('version_unknown', { model, version });
    }
    const counted = await askStatistics(this.#fleet.backends.values(), model);
    return counted.filter((one) => version === undefined || one.version === String(version));
  }

  index(): readonly IndexRow[] {
    return this.#reports.index();
  }

  versionStates(model: string, version: number | undefined): readonly VersionStatus[] {
    return this.#reports.versionStates(model, version);
  }

  versionOfLabel(model: string, label: string): number {
    const version = this.#catalogue.find(model)?.labels.get(label);
    if (version === undefined) throw new SkeinError('label_unknown', { label: label.slice(0, 256) });
    return version;
  }

  load(model: string, override: LoadOverride | undefined): Promise<void> {
    return this.repository.load(model, override);
  }

  unload(model: string): Promise<void> {
    return this.repository.unload(model);
  }

  report(): FleetReport {
    const entries = this.#catalogue.all();
    const standings = entries.map((entry) => this.#reports.standing(entry));
    const count = (wanted: string) => standings.filter((standing) => standing === wanted).length;
    return {
      version: this.#options.version,
      uptimeMs: Math.round(performance.now() - this.#startedMs),
      models: { known: entries.length, loaded: count('ready'), loading: count('loading'), failed: count('failed') },
      held: this.#coldStarts.heldTotal,
      inFlight: this.#active.size - this.#coldStarts.heldTotal,
      retries: this.#retryCount,
      ...this.#coldStarts.totals,
      ...this.#troubles.totals,
      ...this.convictions.report(performance.now()),
      ...this.#upkeep.figures,
      ...this.#sync.report,
      routers: this.#options.routers?.all() ?? [],
      backends: this.#reports.backends(),
      loadTroubles: this.#troubles.report(this.#fleet, performance.now()),
    };
  }

  models(): readonly ModelReport[] {
    return this.#reports.models(performance.now());
  }

  explain(model: string): Explanation {
    const entry = this.#catalogue.find(model);
    if (entry === undefined || !entry.isOffered) throw new SkeinError('model_unknown', { model });
    const nowMs = performance.now();
    return { ...this.#reports.explain(entry, nowMs), bodiesRefused: this.convictions.bodiesRefused(model, nowMs) };
  }

  async runs(model: string): Promise<readonly CopyRunsReport[]> {
    const entry = this.#catalogue.find(model);
    if (entry === undefined || !entry.isOffered) throw new SkeinError('model_unknown', { model });
    return askRuns([...(entry.activity?.copies ?? [])].filter((copy) => copy.isReady));
  }

  plan(backendId: string | undefined): PlanReport {
    if (backendId !== undefined && !this.#fleet.backends.has(backendId)) {
      throw new SkeinError('backend_unknown', { backend: backendId });
    }
    return this.#reports.plan(backendId, performance.now());
  }

  /** Where an alias leads; of a split, to its first target, so that what is told of it does not swing. */
  #target(name: string, version: number | undefined): { model: string; version: number | undefined } {
    const routed = this.#catalogue.routed(name, 0);
    return { model: routed?.model ?? name, version: version ?? routed?.version };
  }

  /** The model, where requests for it are tried; throws what the client is told where not. */
  #servable(model: string, version: number | undefined): ModelEntry {
    const entry = this.#catalogue.find(model);
    if (entry === undefined || !entry.isOffered) throw this.#sync.missing(model);
    if (entry.isUnloaded) throw new SkeinError('model_unavailable', { model });
    const problem = entry.problemFor(version);
    if (problem !== undefined) throw new SkeinError('model_failed', { model, reason: problem });
    if (version !== undefined && !entry.serves(version)) throw new SkeinError('version_unknown', { model, version });
    return entry;
  }

  #refreshSoon(entry: ModelEntry): void {
    this.#refresh.refresh(entry).catch((fault) => {
      this.#options.log('refresh failed', { model: entry.name, reason: (fault as Error).message });
    });
  }

  /** A body of this model ended its process twice: the whole body is looked at before it is sent. */
  #dispatchUnlessConvicted(run: RequestRun): void {
    const { body, model } = run.request;
    body.attach({
      onPiece: (_piece, end) => {
        // One that is too large to be kept cannot have been convicted, and must go on before pieces of it are let go.
        if (!end && !body.isOverBound) return true;
        const isWhole = end && body.isReplayable;
        body.detach();
        const refusal = isWhole ? this.#inquiry.refusalOf(model, body.pieces) : undefined;
        if (refusal !== undefined) run.fail(refusal);
        else run.dispatch();
        return true;
      },
      onAborted: () => {},
      isSpent: true,
    });
  }

  #choose(
    entry: ModelEntry,
    version: number | undefined,
    excluded: ReadonlySet<CopyView> | undefined,
  ): CopyView | undefined {
    const copy = chooseReady(entry, version, excluded);
    const isOlder = copy !== undefined && version === undefined && copy.facts.version !== entry.newest;
    if (isOlder && entry.newest !== undefined) this.#coldStarts.loadBehind(entry, entry.newest);
    return copy;
  }

  #hasElsewhere(
    entry: ModelEntry,
    version: number | undefined,
    stalled: CopyView,
    excluded: ReadonlySet<CopyView>,
  ): boolean {
    if (chooseReady(entry, version, excluded) !== undefined) return true;
    const wanted = version ?? entry.newest;
    if (wanted === undefined || entry.repository === undefined) return false;
    const nowMs = performance.now();
    const question = questionOf(entry, wanted, new Set([stalled.backend.record.id]), this.#fleet.meanCopyBytes, nowMs);
    return place(this.#fleet.placementBackends(nowMs), question).candidates.length > 0;
  }

  #mayRetry(): boolean {
    const allowed = this.#retries.spend(performance.now());
    if (allowed) this.#retryCount++;
    return allowed;
  }

  #sweep(nowMs: number): void {
    this.#coldStarts.sweep(nowMs);
    this.#upkeep.tick(nowMs);
    this.#isolation.sweep(nowMs);
    for (const run of this.#active.values()) run.expire(nowMs);
  }
}

const preloadsAtOnce = 4;
const nothingUnderWay: Exchange = { cancel: () => {}, pause: () => {}, resume: () => {} };

function chooseReady(
  entry: ModelEntry,
  version: number | undefined,
  excluded: ReadonlySet<CopyView> | undefined,
): CopyView | undefined {
  let copies = entry.active().ready(entry, version);
  if (excluded !== undefined) copies = copies.filter((copy) => !excluded.has(copy));
  return copies[chooseCopy(copies, Math.random)];
}
