import type { LevelReport } from '../../../src/cli/bench/level-report.ts';

/** A level as a server under eight connections gives it. */
export const level: LevelReport = {
  load: 'concurrency',
  value: 8,
  inferencesPerSecond: 1234.5,
  requestsPerSecond: 617.25,
  latencyUs: { p50: 12_000, p90: 14_100, p95: 15_000, p99: 20_500, p999: 31_000, mean: 12_500, min: 900, max: 104_000 },
  partsUs: { delay: 0, clientSend: 20, networkAndServer: 480, clientReceive: 10 },
  server: { queueUs: 4_000, computeInputUs: 90, computeInferUs: 7_850, computeOutputUs: 50, meanBatch: 3.5 },
  cpuUsPerRequest: 1_850.4,
  generatorCpuUsPerRequest: 14.6,
  answered: 3_703,
  failed: 0,
  failure: null,
  backlog: 0,
  stable: true,
  windows: 3,
  seconds: 6,
};
