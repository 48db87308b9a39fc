import type { Exchange, ReplyObserver } from '../../adapters/adapter.ts';
import type { RequestBody } from '../../adapters/request-body.ts';
import type { BodyDialect } from '../../protocol/link/infer-head.ts';
import type { CopyDescription } from '../../protocol/link/messages.ts';
import type { VersionStatus } from '../../protocol/v1/model-status.ts';
import type { ModelState } from '../../protocol/v2/repository-index.ts';
import type { ModelStatistics } from '../../protocol/v2/statistics.ts';
import type { CopyRunsReport, Explanation, FleetReport, ModelReport, PlanReport } from './reports.ts';

/** What the servers in front see of the mesh behind: names in, bytes through, reports out. */
export interface Mesh {
  /**
   * Serves one inference: finds the model, loads it where need be, sends the body, tries again elsewhere. Never throws;
   * what goes wrong reaches `observer`, once. Nothing reaches it after `cancel` of the returned exchange.
   */
  infer(request: MeshRequest, observer: ReplyObserver): Exchange;

  /** Whether the mesh as a whole takes requests: at least one backend answers. */
  isReady(): boolean;
  /** Whether an inference would be tried: the model is known, not unloaded by request, and its last load did not fail. */
  isModelReady(model: string, version: number | undefined): boolean;
  /** Metadata and configuration; loads the model where no copy is there. Rejects with a SkeinError. */
  describe(model: string, version: number | undefined): Promise<ModelDescription>;
  /** Of one model, or of all; rejects with model_unknown and version_unknown. */
  statistics(model: string | undefined, version: number | undefined): Promise<readonly ModelStatistics[]>;
  index(): readonly IndexRow[];
  /** Of all versions, newest first, or of one; throws versions_unknown and version_state_unknown. */
  versionStates(model: string, version: number | undefined): readonly VersionStatus[];
  /** The version that a label stands for; throws label_unknown. */
  versionOfLabel(model: string, label: string): number;

  /** Triton's load: (re)loads what changed, takes an unloaded model back into service. Resolves when it is ready. */
  load(model: string, override: LoadOverride | undefined): Promise<void>;
  /** Triton's unload: frees every copy and serves the model no more until it is loaded again. */
  unload(model: string): Promise<void>;

  report(): FleetReport;
  models(): readonly ModelReport[];
  explain(model: string): Explanation;
  /** How the copies of the model run their batches, as far as their backends tell. Rejects with model_unknown. */
  runs(model: string): Promise<readonly CopyRunsReport[]>;
  /** What would move if `backendId` were drained; without one, if everything were placed where it should be. */
  plan(backendId: string | undefined): PlanReport;
}

export interface MeshRequest {
  readonly model: string;
  /** Undefined: the newest that is ready. */
  readonly version: number | undefined;
  readonly dialect: BodyDialect;
  readonly body: RequestBody;
  readonly headerLength: number | undefined;
  /** Time that the client gives the answer; 0: the setting's default. */
  readonly timeoutMs: number;
  readonly traceparent: string;
}

export interface ModelDescription extends CopyDescription {
  /** The one that is described. */
  readonly version: number;
  /** Served by the version policy, ascending; the one that was asked for alone where one was. */
  readonly versions: readonly number[];
}

export interface IndexRow {
  readonly name: string;
  /** Undefined for a model that has never been loaded. */
  readonly version: number | undefined;
  readonly state: ModelState;
  readonly reason: string;
}

/** Parameters of the repository API's load call. */
export interface LoadOverride {
  /** A ModelConfig in JSON. */
  readonly config: string;
  /** By path inside the model's directory: `1/model.onnx`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}
