import type { DurationTotal, StatisticsBody } from '../../protocol/v2/statistics.ts';

/** Means of a request inside the server, in microseconds, as its statistics tell them. */
export interface ServerTimes {
  readonly queueUs: number;
  readonly computeInputUs: number;
  readonly computeInferUs: number;
  readonly computeOutputUs: number;
  /** Rows a run of the engine, on average. */
  readonly meanBatch: number;
}

/** Of what was counted between two answers of the statistics extension; undefined where nothing was. */
export function serverTimesBetween(before: StatisticsBody, after: StatisticsBody): ServerTimes | undefined {
  const [old, now] = [totals(before), totals(after)];
  const requests = now.success - old.success;
  const runs = now.runs - old.runs;
  if (requests <= 0 || runs <= 0) return undefined;
  const meanUs = (total: keyof Totals) => (now[total] - old[total]) / requests / 1_000;
  return {
    queueUs: meanUs('queueNs'),
    computeInputUs: meanUs('inputNs'),
    computeInferUs: meanUs('inferNs'),
    computeOutputUs: meanUs('outputNs'),
    meanBatch: (now.rows - old.rows) / runs,
  };
}

interface Totals {
  readonly success: number;
  readonly rows: number;
  readonly runs: number;
  readonly queueNs: number;
  readonly inputNs: number;
  readonly inferNs: number;
  readonly outputNs: number;
}

/** Over all versions. */
function totals({ model_stats: models }: StatisticsBody): Totals {
  const sum = (of: (model: StatisticsBody['model_stats'][number]) => number) =>
    models.reduce((total, model) => total + of(model), 0);
  const ns = (total: DurationTotal) => total.ns;
  return {
    success: sum((model) => model.inference_stats.success.count),
    rows: sum((model) => model.inference_count),
    runs: sum((model) => model.execution_count),
    queueNs: sum((model) => ns(model.inference_stats.queue)),
    inputNs: sum((model) => ns(model.inference_stats.compute_input)),
    inferNs: sum((model) => ns(model.inference_stats.compute_infer)),
    outputNs: sum((model) => ns(model.inference_stats.compute_output)),
  };
}
