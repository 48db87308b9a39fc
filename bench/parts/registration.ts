import { setTimeout as sleep } from 'node:timers/promises';
import type { Lane, WireRequest } from '../../src/cli/bench/lane.ts';
import { openLanes } from '../../src/cli/bench/open-lanes.ts';
import { cpuBetween, readCpu } from '../../src/cli/bench/server-cpu.ts';
import { collectingGarbage } from '../../test/fixtures/collecting-garbage.ts';
import { type EtcdProcess, startEtcd } from '../../test/fixtures/etcd-process.ts';
import { until } from '../../test/fixtures/fleet-client.ts';
import { type MemberProcess, startMember } from '../../test/fixtures/fleet-processes.ts';
import { summedPssBytes } from '../../test/fixtures/process-tree.ts';
import type { Bench, BenchPart, PartResult } from '../frame/bench-part.ts';
import { figureText } from '../frame/figure-text.ts';
import { portOf } from '../frame/skein-server.ts';
import { type Spread, spreadOf } from '../frame/spread.ts';

const clients = 32;
/** Of each round; more of them than the picture holds at first, so that the size of the catalogue shows. */
const modelsARound = 4_000;

interface Round {
  readonly modelsPerSecond: number;
  /** Of each process, microseconds a registration. */
  readonly cpuUs: {
    readonly router: number;
    readonly watcher: number;
    readonly etcd: number;
    readonly clients: number;
  };
  /** From the last answer until the router that only watches knows all. */
  readonly behindMs: number;
}

export const registration: BenchPart = {
  title: 'Models registered through the admin API of a fleet',
  method: `A router with an etcd of its own; ${clients} clients, each on one connection, register models with a source, one call a model, ${figureText(modelsARound)} a round. A second router only watches, and a third one starts when all are there; their memory is counted against what the second held before the first model, garbage collected. Clients, etcd and both routers share the machine.`,
  async run(bench) {
    const ends: (() => unknown)[] = [];
    const cleanup = { after: (end: () => unknown) => ends.push(end) };
    try {
      const etcd = await startEtcd(cleanup, { isDurable: true });
      const start = (id: string, env: Record<string, string> = {}) =>
        startMember(
          cleanup,
          'router',
          ['--registry', `etcd://${etcd.host}`, '--id', id, '--http', '0', '--grpc', '0', '--metrics', '0'],
          { env },
        );
      const router = await start('registers');
      const watcher = await start('watches', collectingGarbage);
      const startLate = () => start('starts', collectingGarbage);
      return await measure(bench, { etcd, router, watcher, startLate });
    } finally {
      for (const end of ends) await end();
    }
  },
};

interface Fleet {
  readonly etcd: EtcdProcess;
  readonly router: MemberProcess;
  readonly watcher: MemberProcess;
  /** A router that finds all models there. */
  startLate(): Promise<MemberProcess>;
}

async function measure(bench: Bench, fleet: Fleet): Promise<PartResult> {
  const emptyBytes = await settledPss(fleet.watcher);
  const rounds: Round[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    bench.say(`registration, round ${round + 1} of ${bench.rounds}`);
    rounds.push(await registerSome(fleet, round * modelsARound));
  }
  const known = bench.rounds * modelsARound;
  const bytesPerModel = async (router: MemberProcess) => spreadOf([((await settledPss(router)) - emptyBytes) / known]);
  const perModel = { sense: 'at most', limit: 2_048, unit: 'B' } as const;
  const watching = await bytesPerModel(fleet.watcher);
  const starting = await bytesPerModel(await fleet.startLate());
  const of = (figure: (round: Round) => number): Spread => spreadOf(rounds.map(figure));
  return {
    bars: [
      {
        ...{ what: `registrations with ${clients} clients`, sense: 'at least', limit: 2_000, unit: '/s' },
        figure: of(({ modelsPerSecond }) => modelsPerSecond),
      },
      { ...perModel, what: 'memory of a router that watches, for each known model', figure: watching },
      { ...perModel, what: 'memory of a router that starts when they are there, for each', figure: starting },
    ],
    tables: [
      {
        title: 'CPU of one registration, µs',
        columns: ['router', 'router that watches', 'etcd', 'clients'],
        rows: [
          {
            name: 'a call',
            cells: [
              of(({ cpuUs }) => cpuUs.router),
              of(({ cpuUs }) => cpuUs.watcher),
              of(({ cpuUs }) => cpuUs.etcd),
              of(({ cpuUs }) => cpuUs.clients),
            ],
          },
        ],
      },
    ],
    notes: [
      `${figureText(known)} models in the end; the router that watches knew the last ${figureText(Math.max(...rounds.map(({ behindMs }) => behindMs)))} ms after its answer at most.`,
    ],
  };
}

async function registerSome({ etcd, router, watcher }: Fleet, from: number): Promise<Round> {
  const pids = { router: router.pid, watcher: watcher.pid, etcd: etcd.pid, clients: process.pid };
  const requests = Array.from({ length: modelsARound }, (_, i) => registerRequest(from + i));
  const before = readCpu(Object.values(pids));
  const startMs = performance.now();
  await sendAll(router.http, requests);
  const tookMs = performance.now() - startMs;
  await until('the other router knows them', 30_000, () => knows(watcher.http, nameOf(from + modelsARound - 1)), 5);
  const behindMs = performance.now() - startMs - tookMs;
  const after = readCpu(Object.values(pids));
  const used = (pid: number) => {
    const one = (reading: typeof after) => new Map([[pid, reading.get(pid) ?? 0]]);
    return (1_000 * cpuBetween(one(before), one(after))) / modelsARound;
  };
  return {
    modelsPerSecond: (1_000 * modelsARound) / tookMs,
    cpuUs: {
      ...{ router: used(pids.router), watcher: used(pids.watcher) },
      ...{ etcd: used(pids.etcd), clients: used(pids.clients) },
    },
    behindMs,
  };
}

/** Rejects with the router's words where it refuses one. */
async function sendAll(url: string, requests: readonly WireRequest[]): Promise<void> {
  const done = Promise.withResolvers<void>();
  let sent = 0;
  let answered = 0;
  const sendNext = (lane: Lane) => {
    if (sent < requests.length) lane.send(requests[sent++]!, performance.now());
  };
  const onSettled = (lane: Lane) => {
    if (lane.status !== 200) done.reject(new Error(`${lane.status} ${lane.problem || lane.text}`));
    if (++answered === requests.length) done.resolve();
  };
  const endpoint = { protocol: 'http' as const, host: '127.0.0.1', port: portOf(url), isSecure: false };
  const lanes = await openLanes(endpoint, clients, { onSettled, onFree: sendNext });
  for (const lane of lanes) sendNext(lane);
  await done.promise.finally(() => {
    for (const lane of lanes) lane.close();
  });
}

function registerRequest(i: number): WireRequest {
  const name = nameOf(i);
  const sha256 = i.toString(16).padStart(64, '0');
  const body = JSON.stringify({ source: { url: `https://models.example/${name}.onnx`, sha256 } });
  const head = [`POST /fleet/models/${name} HTTP/1.1`, 'Host: bench', `Content-Length: ${body.length}`];
  return [Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`)];
}

async function knows(url: string, model: string): Promise<true | undefined> {
  const answer = await fetch(`${url}/fleet/models/${model}`);
  await answer.arrayBuffer();
  return answer.ok ? true : undefined;
}

function nameOf(i: number): string {
  return `team-model-${String(i).padStart(6, '0')}`;
}

/** The least of some looks, between which garbage is collected. */
async function settledPss({ pid }: MemberProcess): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 6; look++) {
    await sleep(1_000);
    least = Math.min(least, summedPssBytes([pid]));
  }
  return least;
}
