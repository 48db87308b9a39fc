import { table } from '../../scripts/reference/markdown.ts';
import { zeroCounts } from '../../src/fleet/sources/source-figures.ts';
import { SkeinError } from '../../src/protocol/errors.ts';
import type { InferenceStatistics, ModelStatistics } from '../../src/protocol/v2/statistics.ts';
import type { BackendReport, FleetReport, ModelReport } from '../../src/router/mesh/reports.ts';
import type { Metric } from '../../src/router/metrics/metric.ts';
import { RouterMetrics } from '../../src/router/metrics/router-metrics.ts';

/** Every metric of a router that has one model and one backend, and has seen an inference and a refusal. */
export async function exposedMetrics(): Promise<Metric[]> {
  const metrics = new RouterMetrics(
    { models: () => [model], report: () => report, statistics: () => Promise.resolve([statistics]) },
    200,
  );
  metrics.front.inferred('m', 0.1, new SkeinError('internal', { reason: '' }));
  metrics.front.refused('http_malformed');
  return metrics.collectRouterMetrics();
}

export async function metricsTable(): Promise<string> {
  const own = (await exposedMetrics()).filter(({ name }) => /^(?:nv|skein)_/.test(name));
  return table(
    ['Metric', 'Type', 'Labels', 'What it is'],
    own.map(({ name, type, values, help }) => [
      `\`${name}\``,
      type,
      labelsOf(values).join(', '),
      `${help.replaceAll('_other', '`_other`')}.`,
    ]),
  );
}

function labelsOf(values: Metric['values']): string[] {
  const names = new Set(values.flatMap(({ labels }) => Object.keys(labels)));
  names.delete('le'); // of every histogram
  return [...names].map((name) => `\`${name}\``);
}

const backend: BackendReport = {
  id: 'b1',
  kind: 'skein',
  address: 'unix:b1',
  state: 'up',
  reason: '',
  pid: 1,
  budgetBytes: 1,
  usedBytes: 1,
  evictionPrice: 0,
  loadsQueued: 0,
  evictions: 0,
  copies: 1,
  inFlight: 0,
  apart: false,
  sources: { cacheLimitBytes: 1, cacheBytes: 0, cacheFiles: 0, ...zeroCounts() },
};

const report: FleetReport = {
  version: '0',
  uptimeMs: 0,
  models: { known: 1, loaded: 1, loading: 0, failed: 0 },
  held: 0,
  inFlight: 0,
  retries: 0,
  coldRequests: 1,
  loads: 1,
  loadFailures: 0,
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
  registry: { kind: 'connected', reason: '', sinceMs: 0 },
  backends: [backend],
};

const model: ModelReport = {
  name: 'm',
  versions: [1],
  state: 'ready',
  reason: '',
  requestsPerSecond: 0,
  copies: [{ backend: 'b1', version: 1, phase: 'ready', residentBytes: 1, inFlight: 0, latencyMs: 1, loadMs: 1 }],
};

const once = { count: 1, ns: 1 };
const stages: InferenceStatistics = {
  success: once,
  fail: once,
  queue: once,
  compute_input: once,
  compute_infer: once,
  compute_output: once,
  cache_hit: once,
  cache_miss: once,
};

const statistics: ModelStatistics = {
  name: 'm',
  version: '1',
  last_inference: 0,
  inference_count: 1,
  execution_count: 1,
  inference_stats: stages,
  response_stats: {},
  batch_stats: [{ batch_size: 1, compute_input: once, compute_infer: once, compute_output: once }],
  memory_usage: [],
};
