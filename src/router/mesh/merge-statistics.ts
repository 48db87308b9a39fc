import type { BatchStatistics, DurationTotal, ModelStatistics } from '../../protocol/v2/statistics.ts';

/** One model's totals from several backends as one. Memory is listed once per backend, as Triton lists it per device. */
export function mergeStatistics(all: readonly ModelStatistics[]): ModelStatistics[] {
  const merged = new Map<string, ModelStatistics>();
  for (const one of all) {
    const key = `${one.name}\n${one.version}`;
    const before = merged.get(key);
    merged.set(key, before === undefined ? one : add(before, one));
  }
  return [...merged.values()].sort((a, b) =>
    a.name === b.name ? Number(a.version) - Number(b.version) : a.name < b.name ? -1 : 1,
  );
}

function add(a: ModelStatistics, b: ModelStatistics): ModelStatistics {
  const stages = Object.keys(a.inference_stats) as (keyof ModelStatistics['inference_stats'])[];
  return {
    ...a,
    last_inference: Math.max(a.last_inference, b.last_inference),
    inference_count: a.inference_count + b.inference_count,
    execution_count: a.execution_count + b.execution_count,
    inference_stats: Object.fromEntries(
      stages.map((stage) => [stage, addTotals(a.inference_stats[stage], b.inference_stats[stage])]),
    ) as unknown as ModelStatistics['inference_stats'],
    batch_stats: addBatches(a.batch_stats, b.batch_stats),
    memory_usage: [...a.memory_usage, ...b.memory_usage],
  };
}

function addTotals(a: DurationTotal, b: DurationTotal): DurationTotal {
  return { count: a.count + b.count, ns: a.ns + b.ns };
}

function addBatches(a: readonly BatchStatistics[], b: readonly BatchStatistics[]): BatchStatistics[] {
  const bySize = new Map(a.map((row) => [row.batch_size, row]));
  for (const row of b) {
    const before = bySize.get(row.batch_size);
    bySize.set(
      row.batch_size,
      before === undefined
        ? row
        : {
            batch_size: row.batch_size,
            compute_input: addTotals(before.compute_input, row.compute_input),
            compute_infer: addTotals(before.compute_infer, row.compute_infer),
            compute_output: addTotals(before.compute_output, row.compute_output),
          },
    );
  }
  return [...bySize.values()].sort((x, y) => x.batch_size - y.batch_size);
}
