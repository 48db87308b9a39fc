import type { BatchStatistics, DurationTotal, ModelStatistics } from '../../protocol/v2/statistics.ts';

/** What one run took, in milliseconds. */
export interface RunTimes {
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

class Total {
  count = 0;
  ms = 0;

  add(ms: number, count = 1): void {
    this.count += count;
    this.ms += ms * count;
  }

  get duration(): DurationTotal {
    return { count: this.count, ns: Math.round(this.ms * 1e6) };
  }
}

/** Why a request failed, as Triton's metric names it. */
type FailureReason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';

/** Running totals of one version of one model in this process; they outlive its copies. */
export class CopyStatistics {
  readonly model: string;
  readonly version: number;
  readonly #success = new Total();
  readonly #fail = new Total();
  readonly #queue = new Total();
  readonly #input = new Total();
  readonly #infer = new Total();
  readonly #output = new Total();
  readonly #batches = new Map<number, { input: Total; infer: Total; output: Total }>();
  readonly failures: Record<FailureReason, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  #rows = 0;
  #runs = 0;
  #lastMs = 0;

  constructor(model: string, version: number) {
    this.model = model;
    this.version = version;
  }

  /** One request answered: the stages of its run count for it as a whole, as Triton counts them. */
  success(totalMs: number, queueMs: number, rows: number, run: RunTimes): void {
    this.#success.add(totalMs);
    this.#queue.add(queueMs);
    this.#input.add(run.inputMs);
    this.#infer.add(run.inferMs);
    this.#output.add(run.outputMs);
    this.#rows += rows;
  }

  failure(totalMs: number, reason: FailureReason): void {
    this.#fail.add(totalMs);
    this.failures[reason]++;
  }

  /** One run of the engine that came to its end. `epochMs` is the time of day. */
  run(rows: number, times: RunTimes, epochMs: number): void {
    this.#runs++;
    this.#lastMs = Math.round(epochMs);
    let batch = this.#batches.get(rows);
    if (batch === undefined) {
      batch = { input: new Total(), infer: new Total(), output: new Total() };
      this.#batches.set(rows, batch);
    }
    batch.input.add(times.inputMs);
    batch.infer.add(times.inferMs);
    batch.output.add(times.outputMs);
  }

  report(residentBytes: number): ModelStatistics {
    return {
      name: this.model,
      version: String(this.version),
      last_inference: this.#lastMs,
      inference_count: this.#rows,
      execution_count: this.#runs,
      inference_stats: {
        success: this.#success.duration,
        fail: this.#fail.duration,
        queue: this.#queue.duration,
        compute_input: this.#input.duration,
        compute_infer: this.#infer.duration,
        compute_output: this.#output.duration,
        cache_hit: { count: 0, ns: 0 },
        cache_miss: { count: 0, ns: 0 },
      },
      response_stats: {},
      batch_stats: this.#reportBatches(),
      memory_usage: residentBytes === 0 ? [] : [{ type: 'CPU', id: 0, byte_size: residentBytes }],
    };
  }

  #reportBatches(): BatchStatistics[] {
    return [...this.#batches]
      .sort(([a], [b]) => a - b)
      .map(([size, batch]) => ({
        batch_size: size,
        compute_input: batch.input.duration,
        compute_infer: batch.infer.duration,
        compute_output: batch.output.duration,
      }));
  }
}
