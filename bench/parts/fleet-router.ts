import { readFileSync } from 'node:fs';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { readCpu } from '../../src/cli/bench/server-cpu.ts';
import { startEtcd } from '../../test/fixtures/etcd-process.ts';
import { until } from '../../test/fixtures/fleet-client.ts';
import { type MemberProcess, startMember, untilFleet } from '../../test/fixtures/fleet-processes.ts';
import { temporaryDirectory } from '../../test/fixtures/model-folder.ts';
import type { Bench, BenchPart, PartResult } from '../frame/bench-part.ts';
import { binaryRequest, smallShape } from '../frame/binary-request.ts';
import { figureText } from '../frame/figure-text.ts';
import { portOf } from '../frame/skein-server.ts';
import { spreadOf } from '../frame/spread.ts';
import { takeTurns } from '../frame/turns.ts';
import { figures, turnsTable } from '../frame/turns-table.ts';
import { startPeer } from '../peers/peer.ts';

const name = 'skein router';
const connections = 64;
const bytesOfAnswer = 200;
const request = binaryRequest('identity', smallShape);
/** Backends that its link goes to, over TCP. */
const backends = 2;

interface Fleet {
  readonly router: MemberProcess;
  startRouter(id: string): Promise<MemberProcess>;
}

export const fleetRouter: BenchPart = {
  title: 'A router of a fleet',
  method: `\`skein router\` with an etcd and ${backends} backends over TCP, which run an identity model of 16 floats; all of them and the clients share the machine. Start is from the start of the process until a request was answered by it; memory is what is resident of the router after the turns, pages of the program among it, of a router that is not the first of its version; CPU is the router's alone.`,
  async run(bench) {
    const ends: (() => unknown)[] = [];
    const cleanup = { after: (end: () => unknown) => ends.push(end) };
    try {
      const repository = temporaryDirectory(cleanup);
      writeBenchModels(repository, ['identity']);
      const etcd = await startEtcd(cleanup, { isDurable: true });
      const registry = ['--registry', `etcd://${etcd.host}`];
      const startRouter = (id: string) =>
        startMember(cleanup, 'router', [...registry, '--id', id, '--http', '0', '--grpc', '0', '--metrics', '0']);
      for (let i = 1; i <= backends; i++) {
        const own = ['--id', `b${i}`, '--listen', 'tcp://127.0.0.1:0', '--models', repository, '--memory', '256MiB'];
        await startMember(cleanup, 'backend', [...registry, ...own]);
      }
      // What Node makes of the sources is kept when a router ends: every start of a version but the first finds it.
      await (await startRouter('first')).stop();
      const router = await startRouter('measured');
      await untilFleet(router.http, backends, 1);
      await serves(router.http);
      return await measure(bench, { router, startRouter });
    } finally {
      for (const end of ends.toReversed()) await end();
    }
  },
};

async function measure(bench: Bench, { router, startRouter }: Fleet): Promise<PartResult> {
  const bare = await startPeer('bare node:http', 'bare-http.ts', bytesOfAnswer);
  const own = { name, port: portOf(router.http), cpu: () => readCpu([router.pid]) };
  const turns = await takeTurns(bench, [bare, own], { request, connections });
  bare.stop();
  const residentMb = memoryBytes(router, 'Rss') / 1e6;
  const shareMb = memoryBytes(router, 'Pss') / 1e6;
  const starts: number[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    bench.say(`fleet-router, start ${round + 1} of ${bench.rounds}`);
    const startMs = performance.now();
    const fresh = await startRouter(`fresh-${round}`);
    await serves(fresh.http);
    starts.push((performance.now() - startMs) / 1_000);
    await fresh.stop();
  }
  const atMost = { sense: 'at most' } as const;
  return {
    bars: [
      { ...atMost, what: 'a router, from its start to an answer', limit: 1, unit: 's', figure: spreadOf(starts) },
      { ...atMost, what: 'resident memory of a router', limit: 120, unit: 'MB', figure: spreadOf([residentMb]) },
      {
        ...{ ...atMost, what: `CPU of a router for a forwarded request, ${connections} connections`, limit: 60 },
        ...{ unit: 'us', figure: spreadOf(figures(turns.get(name)!, 'cpuUsPerRequest')) },
      },
    ],
    tables: [turnsTable(`identity, ${connections} connections`, turns)],
    notes: [
      `${figureText(shareMb)} MB of the ${figureText(residentMb)} are left where a page that several processes map counts a part for each.`,
    ],
  };
}

/** Resolves with its first answer of status 200. */
async function serves(http: string): Promise<void> {
  const inputs = [{ name: 'input', datatype: 'FP32', shape: smallShape, data: Array(16).fill(0) }];
  const body = JSON.stringify({ inputs });
  await until(`an answer at ${http}`, 30_000, async () => {
    const answer = await fetch(`${http}/v2/models/identity/infer`, { method: 'POST', body });
    await answer.arrayBuffer();
    return answer.ok ? true : undefined;
  });
}

function memoryBytes({ pid }: MemberProcess, kind: 'Rss' | 'Pss'): number {
  const line = new RegExp(`^${kind}:\\s+(\\d+) kB`, 'm');
  return 1_024 * Number(line.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]);
}
