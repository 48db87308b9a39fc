import type { LevelReport } from './level-report.ts';

/** The columns of `perf_analyzer -f`, in microseconds, so that scripts written for it read this, too. */
const columns = [
  'Inferences/Second',
  'Client Send',
  'Network+Server Send/Recv',
  'Server Queue',
  'Server Compute Input',
  'Server Compute Infer',
  'Server Compute Output',
  'Client Recv',
  'p50 latency',
  'p90 latency',
  'p95 latency',
  'p99 latency',
  'Avg latency',
] as const;

export function perfAnalyzerCsv(levels: readonly LevelReport[]): string {
  const first = levels[0]?.load === 'rate' ? 'Request Rate' : 'Concurrency';
  const rows = levels.map(({ value, inferencesPerSecond, latencyUs, partsUs, server }) => [
    value,
    inferencesPerSecond.toFixed(2),
    ...[
      partsUs.clientSend,
      partsUs.networkAndServer,
      server?.queueUs ?? 0,
      server?.computeInputUs ?? 0,
      server?.computeInferUs ?? 0,
      server?.computeOutputUs ?? 0,
      partsUs.clientReceive,
      latencyUs.p50,
      latencyUs.p90,
      latencyUs.p95,
      latencyUs.p99,
      latencyUs.mean,
    ].map(Math.round),
  ]);
  return `${[[first, ...columns], ...rows].map((row) => row.join(',')).join('\n')}\n`;
}
