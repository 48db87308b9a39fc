import type { RegistryStanding } from '../../fleet/registry.ts';
import type { TurnedAway } from '../../fleet/turned-away.ts';
import type { CopyPhase, SourceState } from '../../protocol/link/messages.ts';
import type { RunsReport } from '../../protocol/link/runs-report.ts';
import type { Candidate } from '../placement/candidate.ts';
import type { Refusal } from '../routing/quarantine.ts';
import type { CopyDecision } from '../scaling/snapshot.ts';

/** The JSON of the admin API `/fleet/…`, which the command line prints. Times are since the start or from now, in ms. */

export interface FleetReport {
  readonly version: string;
  readonly uptimeMs: number;
  readonly models: {
    readonly known: number;
    readonly loaded: number;
    readonly loading: number;
    readonly failed: number;
  };
  /** Requests that wait for a model to load, and that run now. */
  readonly held: number;
  readonly inFlight: number;
  /** Since the start: tries beyond the first, requests that found no ready copy, loads asked for, loads that failed, requests and loads convicted of crashing, copies beyond the first loaded for the load, copies given up as too many. */
  readonly retries: number;
  readonly coldRequests: number;
  readonly loads: number;
  readonly loadFailures: number;
  /** The same by the code of the error. */
  readonly loadFailuresByCode: Readonly<Record<string, number>>;
  readonly convictions: number;
  /** Bodies and models' files that are refused now because they ended processes, whichever router found that out; the newest few of them. */
  readonly refused: number;
  readonly refusals: readonly Refusal[];
  readonly copiesAdded: number;
  readonly copiesTrimmed: number;
  /** Copies loaded elsewhere for backends that drain, and for backends that held too little; moves of these that are planned and not begun. */
  readonly copiesMoved: number;
  readonly copiesRebalanced: number;
  readonly movesQueued: number;
  /** Loads that another backend had done or begun as well. */
  readonly duplicateLoads: number;
  /** Whether what is known of the fleet is current; left out where there is no registry. */
  readonly registry?: RegistryStanding | undefined;
  /** Processes that were not let in within the last minute; a router of an older version does not tell. */
  readonly turnedAway?: readonly TurnedAway[];
  /** Ids of the routers that serve this fleet, this one included. */
  readonly routers: readonly string[];
  /** What they run, by id; left out where there is no registry, and by a router of an older version. */
  readonly routerVersions?: Readonly<Record<string, string>>;
  readonly backends: readonly BackendReport[];
  /** Models that did not load and have not since, newest first; a few of them. */
  readonly loadTroubles: readonly LoadTrouble[];
}

export interface LoadTrouble {
  readonly model: string;
  readonly version: number;
  /** The last that was tried; '' where none could be. */
  readonly backend: string;
  readonly code: string;
  readonly reason: string;
  /** Undefined where another router asked for it. */
  readonly agoMs: number | undefined;
}

/** `up`: serving. `stalled`: silent though it should answer. `down`: not connected. `draining`: takes nothing new. */
export type BackendStanding = 'up' | 'stalled' | 'draining' | 'down';

export interface BackendReport {
  readonly id: string;
  readonly kind: string;
  readonly address: string;
  readonly state: BackendStanding;
  /** Why it is down or stalled, or what its operator should know; '' where all is well. */
  readonly reason: string;
  readonly pid: number | undefined;
  /** Of Skein that it runs, or ran when it was linked last; undefined for other systems. */
  readonly version?: string;
  readonly budgetBytes: number;
  readonly usedBytes: number;
  readonly evictionPrice: number;
  readonly loadsQueued: number;
  /** Copies given up for others since its process began. */
  readonly evictions: number;
  /** That its runs may hold now, of those that it shares with other processes of its host; undefined where it does not tell. */
  readonly cores?: number;
  readonly copies: number;
  readonly inFlight: number;
  /** Of models that it fetches; undefined where it fetches none. */
  readonly sources?: SourceState;
  /** Set apart: runs suspects of a crash, or the one model that keeps crashing. */
  readonly apart: boolean;
}

export type ModelStanding = 'ready' | 'loading' | 'idle' | 'failed' | 'unloaded';

export interface ModelReport {
  readonly name: string;
  readonly versions: readonly number[];
  /** `idle`: known, loads when it is asked for. `unloaded`: taken out of service by request. */
  readonly state: ModelStanding;
  readonly reason: string;
  readonly copies: readonly CopyReport[];
  readonly requestsPerSecond: number;
}

export interface CopyReport {
  readonly backend: string;
  readonly version: number;
  readonly phase: CopyPhase;
  readonly residentBytes: number;
  readonly inFlight: number;
  readonly latencyMs: number;
  readonly loadMs: number;
  /** Percent of its files that are here, while they are fetched. */
  readonly fetchedPercent?: number;
}

/** Why a model is where it is, and what would happen to a request for it now. */
export interface Explanation {
  readonly model: string;
  readonly report: ModelReport;
  /** Every backend in the model's order of preference, with the verdict that the placement code gave. */
  readonly candidates: readonly Candidate[];
  /** How many copies its load calls for, where this router decides that and somebody asks for the model. */
  readonly scaling?: CopyDecision;
  /** Bodies of requests for it that are refused because they ended processes; a router of an older version does not tell. */
  readonly bodiesRefused?: number;
  /** What its copies learned of their runs; absent where that was not asked for. */
  readonly runs?: readonly CopyRunsReport[];
  /** One sentence: `served by b1`, `would be loaded on b2 in about 40 ms`, `refused: …`. */
  readonly now: string;
}

/** How one copy runs its batches. */
export interface CopyRunsReport extends RunsReport {
  readonly backend: string;
  readonly version: number;
}

export interface PlanReport {
  readonly moves: readonly PlannedMove[];
  readonly bytes: number;
  readonly estimatedMs: number;
  /** Models that would have no place left. */
  readonly homeless: readonly string[];
}

interface PlannedMove {
  readonly model: string;
  readonly version: number;
  readonly from: string;
  readonly to: string;
  readonly bytes: number;
}
