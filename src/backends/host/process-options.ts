import type { Settings } from '../../config/settings.ts';
import type { BatchingParameters } from '../../fleet/repository/batching-parameters.ts';
import type { EngineKind } from '../../fleet/repository/model-backend.ts';
import type { SourceOptions } from '../../fleet/sources/open-sources.ts';
import type { ProviderFallback, ProviderName } from '../engines/onnx/providers.ts';

/** Everything that a backend process is told at its start, as one JSON argument. It reads no settings of its own. */
export interface BackendProcessOptions {
  readonly id: string;
  readonly engine: EngineKind;
  /** `unix:/path` or `tcp://host:port` to listen on. */
  readonly address: string;
  readonly software: string;
  /** What it may hold as it starts. */
  readonly budgetBytes: number;
  /** Most that its supervisor may ever let it hold. */
  readonly ceilingBytes: number;
  /** Its budget is a part of the host's, which the supervisor divides; else it comes on top. */
  readonly sharesBudget: boolean;
  readonly cores: number;
  /** Threads of one run to begin with, where a model's configuration does not say. */
  readonly threads: number;
  /** The user wrote it: other numbers are not tried. */
  readonly threadsAreGiven: boolean;
  readonly loads: number;
  readonly defaultMaxBatchSize: number;
  readonly defaultMaxQueueSize: number;
  readonly batchingParameters?: BatchingParameters;
  readonly bodyMemoryBytes: number;
  /** '' for none. */
  readonly graphCacheDir: string;
  readonly graphCacheBytes: number;
  /** Models that are fetched. */
  readonly sources: SourceOptions;
  readonly provider: ProviderName;
  readonly providerDevice: number;
  readonly providerMemoryBytes: number;
  readonly providerFallback: ProviderFallback;
  /** '' for the packaged one. */
  readonly onnxruntimeLib: string;
  /** '' for the one that is found. */
  readonly tensorflowLib: string;
  readonly tensorflowFileOps: Settings['tensorflowFileOps'];
  readonly tensorflowGpus: string;
  readonly tensorflowGpuGrowth: boolean;
  readonly tensorflowGpuMemoryBytes: number;
  /** It ends when it has held nothing for so long; 0: never. */
  readonly idleExitMs: number;
  readonly drainTimeoutMs: number;
  /** Of a member of a fleet: where its models lie, and how long routers may take to move its copies before it goes. */
  readonly fleet?: FleetProcessOptions;
  readonly logLevel: Settings['logLevel'];
  readonly logFormat: Settings['logFormat'];
}

interface FleetProcessOptions {
  /** Absolute; entries of the catalogue name paths below them. */
  readonly modelDirs: readonly string[];
  readonly handOverMs: number;
  /** '' for none. */
  readonly tokenFile: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}
