import type { InferenceStatistics, ModelStatistics } from '../../protocol/v2/statistics.ts';
import { counter, histogramSamples, type Metric, type Sample } from './metric.ts';
import { type ModelLabels, otherModels } from './model-labels.ts';
import { MonotonicTotals } from './monotonic-totals.ts';

interface TotalRow {
  readonly name: string;
  readonly help: string;
  readonly of: (statistics: ModelStatistics) => number;
}

const microseconds = (ns: number) => Math.round(ns / 1_000);

const row = (name: string, help: string, of: TotalRow['of']): TotalRow => ({ name, help, of });
const durationRow = (name: string, what: string, stage: keyof InferenceStatistics) =>
  row(`${name}_duration_us`, `Cumulative ${what} duration in microseconds`, (one) => one.inference_stats[stage].ns);

/** Triton's names and texts. */
const rows: readonly TotalRow[] = [
  row('request_success', 'Number of successful inference requests', (one) => one.inference_stats.success.count),
  row('count', 'Number of inferences performed, rows of a batch counted one by one', (one) => one.inference_count),
  row('exec_count', 'Number of model executions performed', (one) => one.execution_count),
  durationRow('request', 'inference request', 'success'),
  durationRow('queue', 'inference queuing', 'queue'),
  durationRow('compute_input', 'compute input', 'compute_input'),
  durationRow('compute_infer', 'compute inference', 'compute_infer'),
  durationRow('compute_output', 'inference compute output', 'compute_output'),
];

const batchName = 'skein_batch_size';
const batchBounds: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128];

/** What one label and version add up to: the rows above, then runs by batch size, then the rows in all of those. */
interface Series {
  readonly labels: { readonly model: string; readonly version: string };
  readonly totals: MonotonicTotals;
}

/** Triton's inference counters and the batch sizes, kept from one look at the backends' statistics to the next. */
export class InferenceSamples {
  readonly #labels: ModelLabels;
  readonly #series = new Map<string, Series>();

  constructor(labels: ModelLabels) {
    this.#labels = labels;
  }

  /** What the statistics do not name keeps its totals: its copies are gone, or their backend could not be asked. */
  observe(all: readonly ModelStatistics[]): void {
    const seen = new Map<string, { labels: Series['labels']; totals: number[] }>();
    for (const statistics of all) {
      const model = this.#labels.labelOf(statistics.name);
      const labels = { model, version: model === otherModels ? '' : statistics.version };
      const key = `${model}\n${labels.version}`;
      const totals = totalsOf(statistics);
      seen.get(key)?.totals.forEach((total, i) => {
        totals[i]! += total;
      });
      seen.set(key, { labels, totals });
    }
    for (const [key, { labels, totals }] of seen) {
      const series = this.#series.get(key) ?? { labels, totals: new MonotonicTotals() };
      series.totals.update(totals);
      this.#series.set(key, series);
    }
  }

  forget(model: string): void {
    for (const [key, { labels }] of this.#series) if (labels.model === model) this.#series.delete(key);
  }

  samples(): Metric[] {
    const all = [...this.#series.values()].map(({ labels, totals }) => ({ labels, values: totals.values }));
    const counters = rows.map(({ name, help }, i) => {
      const inUs = name.endsWith('_us');
      const values = all.map(
        ({ labels, values }): Sample => ({ labels, value: inUs ? microseconds(values[i]!) : values[i]! }),
      );
      return counter(`nv_inference_${name}`, help, values, 'max');
    });
    const batches: Metric = {
      name: batchName,
      help: 'Rows in a run of the engine',
      type: 'histogram',
      aggregator: 'max',
      values: all.flatMap(({ labels, values }) =>
        histogramSamples(batchName, labels, {
          bounds: batchBounds,
          counts: values.slice(rows.length, -1),
          sum: values.at(-1)!,
        }),
      ),
    };
    return [...counters, batches];
  }
}

function totalsOf(statistics: ModelStatistics): number[] {
  const runs = new Array<number>(batchBounds.length + 1).fill(0);
  let batchRows = 0;
  for (const { batch_size: size, compute_infer: runsOfSize } of statistics.batch_stats) {
    const bound = batchBounds.findIndex((largest) => size <= largest);
    runs[bound < 0 ? batchBounds.length : bound]! += runsOfSize.count;
    batchRows += size * runsOfSize.count;
  }
  return [...rows.map(({ of }) => of(statistics)), ...runs, batchRows];
}
