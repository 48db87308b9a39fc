import { type Level, levelValue } from './bench-plan.ts';
import type { LevelResult } from './measure-level.ts';
import type { ServerTimes } from './server-times.ts';

/** One level, as `--json` prints it. Times are in microseconds; null is what could not be seen. */
export interface LevelReport {
  readonly load: Level['kind'];
  /** Connections, or requests per second. */
  readonly value: number;
  readonly inferencesPerSecond: number;
  readonly requestsPerSecond: number;
  readonly latencyUs: Readonly<Record<LatencyFigure, number>>;
  /** Means of the parts that make up the latency. */
  readonly partsUs: {
    /** From when a request was due until it was sent: the wait for a free connection, in an open loop. */
    readonly delay: number;
    readonly clientSend: number;
    /** What is left: the network, and what the server does beside what it counts. */
    readonly networkAndServer: number;
    readonly clientReceive: number;
  };
  readonly server: ServerTimes | null;
  readonly cpuUsPerRequest: number | null;
  readonly generatorCpuUsPerRequest: number;
  readonly answered: number;
  readonly failed: number;
  /** Status and words of the first that failed. */
  readonly failure: string | null;
  /** Requests that were due and could not be sent. */
  readonly backlog: number;
  readonly stable: boolean;
  readonly windows: number;
  readonly seconds: number;
}

const latencyPercentiles = { p50: 50, p90: 90, p95: 95, p99: 99, p999: 99.9 } as const;
type LatencyFigure = keyof typeof latencyPercentiles | 'mean' | 'min' | 'max';

/** `rows`: inferences that a request is worth. */
export function levelReport(level: Level, result: LevelResult, rows: number): LevelReport {
  const { window, server } = result;
  const { latency, answered, durationMs } = window;
  const requestsPerSecond = (answered * 1_000) / durationMs;
  const percentiles = Object.entries(latencyPercentiles).map(([name, percent]) => [
    name,
    latency.percentileUs(percent),
  ]);
  const counted =
    server === undefined ? 0 : server.queueUs + server.computeInputUs + server.computeInferUs + server.computeOutputUs;
  return {
    load: level.kind,
    value: levelValue(level),
    inferencesPerSecond: requestsPerSecond * rows,
    requestsPerSecond,
    latencyUs: {
      ...(Object.fromEntries(percentiles) as Record<keyof typeof latencyPercentiles, number>),
      mean: latency.meanUs,
      min: latency.minUs,
      max: latency.maxUs,
    },
    partsUs: {
      delay: window.delayUs,
      clientSend: window.sendUs,
      // The server counts requests that ended in a slightly other stretch of time: never below nothing.
      networkAndServer: Math.max(0, window.waitUs - counted),
      clientReceive: window.receiveUs,
    },
    server: server ?? null,
    cpuUsPerRequest: result.cpuUsPerRequest ?? null,
    generatorCpuUsPerRequest: result.generatorCpuUsPerRequest,
    answered,
    failed: window.failed,
    failure: window.failure?.trim() ?? null,
    backlog: window.backlog,
    stable: result.isStable,
    windows: result.windows,
    seconds: durationMs / 1_000,
  };
}
