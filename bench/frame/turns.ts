import { setTimeout as sleep } from 'node:timers/promises';
import { startClosedLoop } from '../../src/cli/bench/closed-loop.ts';
import type { WireRequest } from '../../src/cli/bench/lane.ts';
import type { Load, Traffic } from '../../src/cli/bench/load.ts';
import type { LoadWindow } from '../../src/cli/bench/load-window.ts';
import { startOpenLoop } from '../../src/cli/bench/open-loop.ts';
import { seededRandom } from '../../src/cli/bench/random.ts';
import { type CpuReading, cpuBetween } from '../../src/cli/bench/server-cpu.ts';
import { zipfPicker } from '../../src/cli/bench/zipf.ts';
import type { Bench } from './bench-part.ts';

/** Somebody who is measured. */
export interface Contender {
  readonly name: string;
  readonly port: number;
  /** Of the processes whose time counts. */
  readonly cpu: () => CpuReading;
  /** In place of the load's own, picked at random. */
  readonly requests?: readonly WireRequest[];
}

/** The same for all contenders of a comparison. */
interface TurnLoad {
  readonly request: WireRequest;
  readonly connections: number;
  /** Poisson arrivals at this rate, instead of one request after another on each connection. */
  readonly perSecond?: number;
}

export interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Of the contender's processes, in microseconds. */
  readonly cpuUsPerRequest: number;
}

/** The turns of each contender, by its name. */
export type Turns = ReadonlyMap<string, readonly Turn[]>;

/** Until the code that runs is the code that will: V8 optimises while the first thousands of requests pass. */
const warmUpSeconds = 1.5;
/** Until connections are open and first batches in their stride. */
const settleMs = 200;
const seed = 1;

/**
 * Round by round, every contender once, each round beginning with another: what changes on the machine meanwhile is spread
 * over all. A round before the first warms up, at full speed, and does not count.
 */
export async function takeTurns(bench: Bench, contenders: readonly Contender[], load: TurnLoad): Promise<Turns> {
  const turns = new Map(contenders.map(({ name }) => [name, [] as Turn[]]));
  const { request, connections } = load;
  for (const contender of contenders) await oneTurn(contender, { request, connections }, warmUpSeconds);
  for (let round = 0; round < bench.rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(i + round) % contenders.length]!;
      turns.get(contender.name)!.push(await oneTurn(contender, load, bench.seconds));
    }
  }
  return turns;
}

/** Throws where a request fails: a refusal costs less than an answer, and must not look cheap. */
export async function oneTurn(contender: Contender, load: TurnLoad, seconds: number): Promise<Turn> {
  const running = await startLoad(contender, load);
  try {
    await sleep(Math.max(settleMs, seconds * 100));
    running.cut();
    const before = contender.cpu();
    await sleep(seconds * 1_000);
    const window = running.cut();
    const cpuMs = cpuBetween(before, contender.cpu());
    return turnOf(contender.name, window, cpuMs);
  } finally {
    running.stop();
  }
}

function startLoad({ port, requests: own }: Contender, { request, connections, perSecond }: TurnLoad): Promise<Load> {
  const requests = own ?? [request];
  const traffic: Traffic = {
    endpoint: { protocol: 'http', host: '127.0.0.1', port, isSecure: false },
    requests,
    pick: zipfPicker(requests.length, 0, seededRandom(seed)),
    timeoutMs: 30_000,
  };
  if (perSecond === undefined) return startClosedLoop(traffic, connections);
  return startOpenLoop(traffic, { kind: 'poisson', perSecond, seed, maxConnections: connections });
}

function turnOf(name: string, window: LoadWindow, cpuMs: number): Turn {
  if (window.failed > 0) throw new Error(`${name}: ${window.failed} requests failed, first with ${window.failure}`);
  if (window.answered === 0) throw new Error(`${name} answered nothing in ${window.durationMs} ms`);
  return {
    perSecond: (window.answered * 1_000) / window.durationMs,
    p50Ms: window.latency.percentileUs(50) / 1_000,
    p99Ms: window.latency.percentileUs(99) / 1_000,
    cpuUsPerRequest: (cpuMs * 1_000) / window.answered,
  };
}
