import { setTimeout as sleep } from 'node:timers/promises';
import type { StatisticsBody } from '../../protocol/v2/statistics.ts';
import type { Load } from './load.ts';
import { type LoadWindow, mergeWindows } from './load-window.ts';
import { type CpuReading, cpuBetween, readTreeCpu } from './server-cpu.ts';
import { type ServerTimes, serverTimesBetween } from './server-times.ts';
import { isStable, stableWindows } from './stability.ts';

export interface WindowRules {
  readonly warmUpMs: number;
  readonly windowMs: number;
  /** Windows until it is given up to wait for three that agree. */
  readonly maxWindows: number;
  readonly stabilityPercent: number;
}

/** What can be seen of the server beside its answers. */
export interface ServerView {
  /** Roots of its process trees; [] where they are not on this machine. */
  readonly pids: readonly number[];
  /** Undefined where it has no statistics for this load. */
  readonly statistics: () => Promise<StatisticsBody | undefined>;
}

/** What a level of load came to: the last three windows together. */
export interface LevelResult {
  readonly window: LoadWindow;
  readonly isStable: boolean;
  readonly windows: number;
  /** Of the server's processes, in microseconds; undefined where they cannot be seen. */
  readonly cpuUsPerRequest: number | undefined;
  /** Of this process, which shares the machine with a local server. */
  readonly generatorCpuUsPerRequest: number;
  readonly server: ServerTimes | undefined;
}

/** What was read where one window ends and the next begins. */
interface Boundary {
  readonly serverCpu: CpuReading;
  readonly ownCpuUs: number;
  readonly statistics: StatisticsBody | undefined;
}

/** Cuts windows from a running load until three agree, or there were enough. `onWindow` is told of each. */
export async function measureLevel(
  load: Load,
  rules: WindowRules,
  server: ServerView,
  onWindow: (window: LoadWindow) => void,
): Promise<LevelResult> {
  await sleep(rules.warmUpMs);
  const windows: LoadWindow[] = [];
  let boundary = await readBoundary(server);
  const boundaries = [boundary];
  load.cut();
  let stable = false;
  while (!stable && windows.length < rules.maxWindows) {
    await sleep(rules.windowMs);
    const window = load.cut();
    boundary = await readBoundary(server);
    windows.push(window);
    boundaries.push(boundary);
    onWindow(window);
    stable = isStable(windows.map(figuresOf), rules.stabilityPercent);
  }
  const window = mergeWindows(windows.slice(-stableWindows));
  return resultOf(
    window,
    stable,
    windows.length,
    boundaries.at(-1 - Math.min(stableWindows, windows.length))!,
    boundary,
  );
}

function resultOf(window: LoadWindow, stable: boolean, windows: number, from: Boundary, to: Boundary): LevelResult {
  const perRequest = (us: number) => us / Math.max(1, window.answered + window.failed);
  const isSeen = to.serverCpu.size > 0;
  return {
    window,
    isStable: stable,
    windows,
    cpuUsPerRequest: isSeen ? perRequest(cpuBetween(from.serverCpu, to.serverCpu) * 1_000) : undefined,
    generatorCpuUsPerRequest: perRequest(to.ownCpuUs - from.ownCpuUs),
    server: from.statistics && to.statistics ? serverTimesBetween(from.statistics, to.statistics) : undefined,
  };
}

async function readBoundary({ pids, statistics }: ServerView): Promise<Boundary> {
  const { user, system } = process.cpuUsage();
  return {
    serverCpu: pids.length === 0 ? new Map() : readTreeCpu(pids),
    ownCpuUs: user + system,
    statistics: await statistics(),
  };
}

function figuresOf({ answered, durationMs, latency }: LoadWindow) {
  return { perSecond: (answered * 1_000) / durationMs, latencyUs: latency.meanUs };
}
