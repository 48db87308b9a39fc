import type { Exchange, ReplyObserver } from '../../../src/adapters/adapter.ts';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { VersionStatus } from '../../../src/protocol/v1/model-status.ts';
import type { ModelStatistics } from '../../../src/protocol/v2/statistics.ts';
import type {
  IndexRow,
  LoadOverride,
  Mesh,
  MeshRequest,
  ModelDescription,
} from '../../../src/router/mesh/mesh-port.ts';
import type {
  CopyRunsReport,
  Explanation,
  FleetReport,
  ModelReport,
  PlanReport,
} from '../../../src/router/mesh/reports.ts';

/** What the fake does with an inference. */
type InferBehaviour = (inference: FakeInference) => void;

/** One inference that reached the fake mesh: what it was asked, and the means to answer it. */
export class FakeInference {
  readonly request: MeshRequest;
  readonly observer: ReplyObserver;
  readonly received: Uint8Array[] = [];
  receivedBytes = 0;
  isComplete = false;
  isAborted = false;
  isCancelled = false;
  /** How often the front asked for less and for more. */
  pauses = 0;
  resumes = 0;
  readonly ended = Promise.withResolvers<void>();

  constructor(request: MeshRequest, observer: ReplyObserver) {
    this.request = request;
    this.observer = observer;
  }

  get body(): Buffer {
    return Buffer.concat(this.received);
  }

  reply(body: Uint8Array, headerLength?: number): void {
    this.observer.onReply({ headerLength, bodyBytes: body.byteLength, inFlight: 0, latencyUs: 0 });
    this.observer.onPiece(body);
    this.observer.onEnd();
  }
}

/** Answers with what it was sent. */
const echo: InferBehaviour = (inference) => {
  if (inference.isComplete) inference.reply(inference.body, inference.request.headerLength);
};

/** A fake of the mesh, for tests of what stands in front of it: it has two models and no backend. */
export class FakeMesh implements Mesh {
  readonly inferences: FakeInference[] = [];
  readonly loads: { model: string; override: LoadOverride | undefined }[] = [];
  readonly unloads: string[] = [];
  readonly known = new Map<string, readonly number[]>([
    ['simple', [1]],
    ['multi_version', [1, 3]],
  ]);
  isUp = true;
  behaviour: InferBehaviour = echo;
  /** Pieces that `onPiece` of a body takes before it asks for a pause. */
  takesBytes = Number.POSITIVE_INFINITY;
  indexRows: IndexRow[] | undefined;
  statisticsRows: readonly ModelStatistics[] | undefined;
  reportedBackends: FleetReport['backends'] = [];

  infer(request: MeshRequest, observer: ReplyObserver): Exchange {
    const inference = new FakeInference(request, observer);
    this.inferences.push(inference);
    if (!this.known.has(request.model)) {
      request.body.release();
      observer.onError(new SkeinError('model_unknown', { model: request.model }));
      return { cancel: () => {}, pause: () => {}, resume: () => {} };
    }
    request.body.attach({
      onPiece: (piece, end) => {
        inference.received.push(piece);
        inference.receivedBytes += piece.byteLength;
        if (end) inference.isComplete = true;
        this.behaviour(inference);
        return inference.receivedBytes < this.takesBytes;
      },
      onAborted: () => {
        inference.isAborted = true;
        inference.ended.resolve();
      },
    });
    return {
      cancel: () => {
        inference.isCancelled = true;
        inference.ended.resolve();
      },
      pause: () => {
        inference.pauses++;
      },
      resume: () => {
        inference.resumes++;
      },
    };
  }

  isReady(): boolean {
    return this.isUp;
  }

  isModelReady(model: string, version: number | undefined): boolean {
    const versions = this.known.get(model);
    return versions !== undefined && (version === undefined || versions.includes(version));
  }

  async describe(model: string, version: number | undefined): Promise<ModelDescription> {
    const versions = this.#versionsOf(model, version);
    return {
      platform: 'onnxruntime_onnx',
      signature: {
        inputs: [{ name: 'INPUT0', datatype: 'INT32', shape: [-1, 16] }],
        outputs: [{ name: 'OUTPUT0', datatype: 'INT32', shape: [-1, 16], optional: false }],
      },
      maxBatchSize: 8,
      config: { name: model, max_batch_size: 8 },
      versions,
      version: versions.at(-1)!,
    };
  }

  async statistics(model: string | undefined, version: number | undefined): Promise<readonly ModelStatistics[]> {
    if (this.statisticsRows !== undefined) return this.statisticsRows;
    const names = model === undefined ? [...this.known.keys()] : [model];
    return names.flatMap((name) => this.#versionsOf(name, version).map((one) => statisticsOf(name, one)));
  }

  index(): readonly IndexRow[] {
    if (this.indexRows !== undefined) return this.indexRows;
    return [...this.known].flatMap(([name, versions]) =>
      versions.map((version) => ({ name, version, state: 'READY' as const, reason: '' })),
    );
  }

  versionStates(model: string, version: number | undefined): readonly VersionStatus[] {
    const versions = this.known.get(model);
    if (versions === undefined) throw new SkeinError('versions_unknown', { model });
    if (version === undefined) return versions.toReversed().map((one) => ({ version: one, state: 'AVAILABLE' }));
    if (!versions.includes(version)) throw new SkeinError('version_state_unknown', { model, version });
    return [{ version, state: 'END', fault: 'it is broken' }];
  }

  versionOfLabel(_model: string, label: string): number {
    if (label !== 'stable') throw new SkeinError('label_unknown', { label });
    return 1;
  }

  async load(model: string, override: LoadOverride | undefined): Promise<void> {
    if (!this.known.has(model) && override === undefined) throw new SkeinError('load_unknown', { model });
    this.loads.push({ model, override });
  }

  async unload(model: string): Promise<void> {
    this.unloads.push(model);
  }

  report(): FleetReport {
    return {
      version: '9.9.9',
      uptimeMs: 1_000,
      models: { known: this.known.size, loaded: 1, loading: 0, failed: 0 },
      ...{
        held: 2,
        inFlight: 3,
        retries: 4,
        coldRequests: 6,
        loads: 5,
        loadFailures: 1,
        loadFailuresByCode: { load_failed: 1 },
        loadTroubles: [],
        convictions: 0,
        refused: 0,
        refusals: [],
        copiesAdded: 0,
        copiesTrimmed: 0,
        copiesMoved: 0,
        copiesRebalanced: 0,
        movesQueued: 0,
        duplicateLoads: 0,
        routers: [],
      },
      backends: this.reportedBackends,
    };
  }

  models(): readonly ModelReport[] {
    return [...this.known.keys()].map((name) => this.#report(name));
  }

  explain(model: string): Explanation {
    if (!this.known.has(model)) throw new SkeinError('model_unknown', { model });
    return { model, report: this.#report(model), candidates: [], now: 'served by b1' };
  }

  runs(model: string): Promise<readonly CopyRunsReport[]> {
    const setting = { threads: 2, slots: 1, rows: 1 };
    const choice = { ...setting, upToWaiting: 1, rowsPerSecond: 100, why: 'measured' };
    const learned = [{ ...setting, ms: 10, rowsPerSecond: 100, runs: 9 }];
    const report = { backend: 'b1', version: 1, choices: [choice], learned, drift: 1, sessions: [2] };
    return Promise.resolve(this.known.has(model) ? [report] : []);
  }

  plan(backendId: string | undefined): PlanReport {
    if (backendId !== undefined && backendId !== 'b1') throw new SkeinError('backend_unknown', { backend: backendId });
    return { moves: [], bytes: backendId === undefined ? 0 : 1, estimatedMs: 0, homeless: [] };
  }

  #report(name: string): ModelReport {
    const state = name === 'simple' ? 'ready' : 'idle';
    const copies =
      state === 'idle'
        ? []
        : [
            {
              backend: 'b1',
              version: 1,
              phase: 'ready' as const,
              ...{ residentBytes: 1_000, inFlight: 2, latencyMs: 5, loadMs: 40 },
            },
          ];
    return { name, versions: this.known.get(name)!, state, reason: '', copies, requestsPerSecond: 0 };
  }

  #versionsOf(model: string, version: number | undefined): readonly number[] {
    const versions = this.known.get(model);
    if (versions === undefined) throw new SkeinError('model_unknown', { model });
    if (version === undefined) return versions;
    if (!versions.includes(version)) throw new SkeinError('version_unknown', { model, version });
    return [version];
  }
}

export function statisticsOf(name: string, version: number, counts: Partial<StatisticsCounts> = {}): ModelStatistics {
  const { success = 0, batches = [] } = counts;
  const total = { count: success, ns: success * 1_000_000 };
  const none = { count: 0, ns: 0 };
  return {
    ...{ name, version: String(version), last_inference: 0, inference_count: success, execution_count: success },
    inference_stats: {
      ...{ success: total, fail: none, queue: total, compute_input: total, compute_infer: total },
      ...{ compute_output: total, cache_hit: none, cache_miss: none },
    },
    response_stats: {},
    batch_stats: batches.map(([size, count]) => {
      const duration = { count, ns: count * 1_000 };
      return { batch_size: size, compute_input: duration, compute_infer: duration, compute_output: duration };
    }),
    memory_usage: [],
  };
}

interface StatisticsCounts {
  readonly success: number;
  readonly batches: readonly (readonly [size: number, count: number])[];
}
