import { SkeinError } from '../../protocol/errors.ts';
import type { AdminClient } from '../admin-client.ts';
import { type BenchPlan, type Level, levelValue } from './bench-plan.ts';
import { type BenchTarget, benchTarget, readStatistics } from './bench-target.ts';
import { startClosedLoop } from './closed-loop.ts';
import type { Lane } from './lane.ts';
import type { LatencyHistogram } from './latency-histogram.ts';
import { type LevelReport, levelReport } from './level-report.ts';
import { msText, rateText } from './level-tables.ts';
import type { Load, Traffic } from './load.ts';
import type { LoadWindow } from './load-window.ts';
import { measureLevel, type ServerView } from './measure-level.ts';
import { newLane } from './open-lanes.ts';
import { startOpenLoop } from './open-loop.ts';
import { seededRandom } from './random.ts';
import { serverRoots } from './server-cpu.ts';
import { zipfPicker } from './zipf.ts';

export interface BenchOutcome {
  readonly target: BenchTarget;
  readonly levels: readonly LevelReport[];
  /** Of each level, for a picture. */
  readonly latencies: readonly LatencyHistogram[];
}

/** Level after level. Throws `server_unreachable`, `server_refused` where a first request fails, and `usage`. */
export async function runBench(
  plan: BenchPlan,
  url: string,
  client: AdminClient,
  say: (text: string) => void,
): Promise<BenchOutcome> {
  const target = await benchTarget(plan, url, client);
  await askEachOnce(target, plan.timeoutMs);
  const server: ServerView = {
    pids: isLocal(target.endpoint.host) ? serverRoots(target.endpoint.port) : [],
    // The statistics of many models would be asked one by one: a load of its own.
    statistics: () =>
      target.models.length === 1 ? readStatistics(target.models[0]!, client) : Promise.resolve(undefined),
  };
  const levels: LevelReport[] = [];
  const latencies: LatencyHistogram[] = [];
  for (const level of plan.levels) {
    const name = `${level.kind} ${levelValue(level)}`;
    say(`${name}: warming up`);
    const load = await startLoad(level, plan, target);
    try {
      const result = await measureLevel(load, plan.rules, server, (window) => say(`${name}: ${windowText(window)}`));
      levels.push(levelReport(level, result, target.rows));
      latencies.push(result.window.latency);
    } finally {
      load.stop();
    }
  }
  return { target, levels, latencies };
}

function startLoad(level: Level, plan: BenchPlan, { endpoint, requests }: BenchTarget): Promise<Load> {
  const { seed } = plan.body;
  // Each level draws the same models again.
  const pick = zipfPicker(requests.length, plan.zipf, seededRandom(seed + 1));
  const traffic: Traffic = { endpoint, requests, pick, timeoutMs: plan.timeoutMs };
  if (level.kind === 'concurrency') return startClosedLoop(traffic, level.connections);
  const { arrivals: kind, maxConnections } = plan;
  return startOpenLoop(traffic, { kind, perSecond: level.perSecond, seed, maxConnections });
}

/** Every model answers one request before anything is measured: mistakes show at once, and cold loads are over. */
async function askEachOnce({ endpoint, requests, models }: BenchTarget, timeoutMs: number): Promise<void> {
  for (const [i, request] of requests.entries()) {
    const lane = await new Promise<Lane>((resolve) => {
      const asked = newLane(endpoint, { onSettled: resolve, onFree: () => {} });
      const late = setTimeout(() => asked.abandon(`no answer within ${timeoutMs} ms`), timeoutMs);
      late.unref();
      asked.send(request, performance.now());
    });
    lane.close();
    if (lane.status === 200) continue;
    const words = lane.status === 0 ? lane.problem : `${lane.status} ${errorIn(lane.text)}`;
    throw new SkeinError('server_refused', { reason: `${models[i]} did not answer a first request: ${words}` });
  }
}

function errorIn(text: string): string {
  try {
    return String((JSON.parse(text) as { error?: unknown }).error ?? text);
  } catch {
    return text;
  }
}

function windowText({ answered, failed, durationMs, latency }: LoadWindow): string {
  const failures = failed === 0 ? '' : `, ${failed} failed`;
  const perSecond = rateText((answered * 1_000) / durationMs);
  return `${perSecond} requests/s, p50 ${msText(latency.percentileUs(50))} ms, p99 ${msText(latency.percentileUs(99))} ms${failures}`;
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}
