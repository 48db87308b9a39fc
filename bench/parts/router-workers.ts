import { setTimeout as sleep } from 'node:timers/promises';
import type { Bar, Bench, BenchPart, PartResult, ResultTable } from '../frame/bench-part.ts';
import { binaryRequest, smallShape } from '../frame/binary-request.ts';
import { type CpuCage, cpuCage } from '../frame/cpu-cage.ts';
import { spreadText } from '../frame/figure-text.ts';
import { routerPids, type SkeinServer, startEchoServer } from '../frame/skein-server.ts';
import { ratioOf } from '../frame/spread.ts';
import { type Contender, oneTurn, takeTurns } from '../frame/turns.ts';
import { figures, ratioBar, turnsTable } from '../frame/turns-table.ts';

const [one, two] = ['--router-workers 1', '--router-workers 2'] as const;
/** Beside the rate of the bar: what a request costs falls with the requests that a process finds each time it wakes. */
const otherRates = [1_000, 2_000, 4_000, 8_000];
const cageCores = 0.25;
/** Until V8 has optimised what serves, as before all turns. */
const warmUpSeconds = 2;
const request = binaryRequest('identity', smallShape);

export const routerWorkers: BenchPart = {
  title: 'A second router process on the same port',
  method:
    'The same rate of requests of 16 floats, which an engine that runs no model hands back, CPU of all router processes. The bar is for half of what one process serves in the same run, as a second one is for routers that are busy; other rates beside it. Then as many as 64 connections get through, with each router process held to a quarter of a core by a cgroup.',
  async run(bench) {
    const single = await startEchoServer(['identity'], ['--router-workers', '1']);
    try {
      const pair = await startEchoServer(['identity'], ['--router-workers', '2']);
      try {
        await bothServe(pair);
        return await compare(bench, single, pair);
      } finally {
        await pair.stop();
      }
    } finally {
      await single.stop();
    }
  },
};

async function compare(bench: Bench, single: SkeinServer, pair: SkeinServer): Promise<PartResult> {
  const contenders = [single.routerAlone(one), pair.routerAlone(two)];
  await oneTurn(contenders[0]!, { request, connections: 64 }, warmUpSeconds);
  const most = (await oneTurn(contenders[0]!, { request, connections: 64 }, bench.seconds)).perSecond;
  const half = Math.round(most / 2 / 100) * 100;
  const paced = await takeTurns(bench, contenders, { request, connections: 64, perSecond: half });
  const bars: Bar[] = [
    ratioBar(
      paced,
      {
        what: 'CPU of two router processes per request, over that of one, at half of what one serves',
        sense: 'at most',
        limit: 1.1,
      },
      { of: two, over: one, figure: 'cpuUsPerRequest' },
    ),
  ];
  const tables: ResultTable[] = [turnsTable(`${half} requests/s, half of what one process serves`, paced)];
  for (const perSecond of otherRates.filter((rate) => rate <= most)) {
    const turns = await takeTurns(bench, contenders, { request, connections: 64, perSecond });
    const ratio = ratioOf(figures(turns.get(two)!, 'cpuUsPerRequest'), figures(turns.get(one)!, 'cpuUsPerRequest'));
    tables.push(turnsTable(`${perSecond} requests/s: two processes cost ${spreadText(ratio)} of one`, turns));
  }
  const what = 'requests/s of two router processes over those of one, a quarter core each';
  const bar = { what, sense: 'at least', limit: 1.8 } as const;
  const caged = await cagedTurns(bench, contenders, [single, pair]);
  if (typeof caged === 'string') {
    return { bars: [...bars, { ...bar, unit: '', figure: { missing: caged } }], tables, notes: [] };
  }
  bars.push(ratioBar(caged, bar, { of: two, over: one, figure: 'perSecond' }));
  tables.push({ ...turnsTable('64 connections, a quarter core each', caged), drawn: 'requests/s' });
  return { bars, tables, notes: [] };
}

/** Or why there are none. */
async function cagedTurns(bench: Bench, contenders: readonly Contender[], servers: readonly SkeinServer[]) {
  const cages: CpuCage[] = [];
  try {
    try {
      for (const pid of servers.flatMap(({ process }) => routerPids(process.pid))) {
        const cage = cpuCage(String(pid), cageCores);
        cages.push(cage);
        cage.hold(pid);
      }
    } catch (fault) {
      return `processes cannot be held to a share of a core here: ${(fault as Error).message}`;
    }
    return await takeTurns(bench, contenders, { request, connections: 64 });
  } finally {
    for (const cage of cages) cage.open();
  }
}

/** The second process listens a moment after the first. */
async function bothServe({ process: { pid } }: SkeinServer): Promise<void> {
  while (routerPids(pid).length < 2) await sleep(50);
  await sleep(1_000);
}
