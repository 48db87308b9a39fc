/**
 * Body of GET /v2/models/stats and /v2/models/{model}[/versions/{version}]/stats.
 *
 * perf_analyzer subtracts two of these, so every figure is a running total since the copy was loaded.
 */
export interface StatisticsBody {
  readonly model_stats: readonly ModelStatistics[];
}

export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since the epoch; 0 = never. */
  readonly last_inference: number;
  /** Rows of successful requests, cache hits left out. */
  readonly inference_count: number;
  /** Runs of the engine: inference_count / execution_count is the mean batch. */
  readonly execution_count: number;
  readonly inference_stats: InferenceStatistics;
  readonly response_stats: Readonly<Record<string, ResponseStatistics>>;
  readonly batch_stats: readonly BatchStatistics[];
  readonly memory_usage: readonly MemoryUsage[];
}

export interface DurationTotal {
  readonly count: number;
  readonly ns: number;
}

/** success and queue count cache hits; the compute stages do not. */
export interface InferenceStatistics {
  readonly success: DurationTotal;
  readonly fail: DurationTotal;
  readonly queue: DurationTotal;
  readonly compute_input: DurationTotal;
  readonly compute_infer: DurationTotal;
  readonly compute_output: DurationTotal;
  readonly cache_hit: DurationTotal;
  readonly cache_miss: DurationTotal;
}

/** One row for each batch size that the engine has run. */
export interface BatchStatistics {
  readonly batch_size: number;
  readonly compute_input: DurationTotal;
  readonly compute_infer: DurationTotal;
  readonly compute_output: DurationTotal;
}

/** Only of models that answer one request more than once. */
interface ResponseStatistics {
  readonly compute_infer: DurationTotal;
  readonly compute_output: DurationTotal;
  readonly success: DurationTotal;
  readonly fail: DurationTotal;
  readonly empty_response: DurationTotal;
  readonly cancel: DurationTotal;
}

interface MemoryUsage {
  readonly type: 'CPU' | 'CPU_PINNED' | 'GPU';
  readonly id: number;
  readonly byte_size: number;
}
