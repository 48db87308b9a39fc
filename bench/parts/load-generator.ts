import { setTimeout as sleep } from 'node:timers/promises';
import { startClosedLoop } from '../../src/cli/bench/closed-loop.ts';
import type { BenchPart, ResultRow } from '../frame/bench-part.ts';
import { binaryRequest, smallShape } from '../frame/binary-request.ts';
import { spreadOf } from '../frame/spread.ts';
import { startPeer } from '../peers/peer.ts';
import { wrkTurn } from '../peers/wrk.ts';

const connections = 32;
const request = binaryRequest('m', smallShape);

export const loadGenerator: BenchPart = {
  title: 'What the load generator itself costs',
  method: `CPU of the generator of \`skein bench\` per request, ${connections} connections, small bodies, a bare node:http server that answers 200 bytes; wrk with one thread in turns.`,
  async run(bench) {
    const peer = await startPeer('bare', 'bare-http.ts', 200);
    try {
      await ownTurn(peer.port, bench.seconds);
      const own: Awaited<ReturnType<typeof ownTurn>>[] = [];
      const wrk: typeof own = [];
      for (let round = 0; round < bench.rounds; round++) {
        own.push(await ownTurn(peer.port, bench.seconds));
        const turn = await wrkTurn(peer.port, request, { connections, seconds: bench.seconds });
        if (turn !== undefined) wrk.push(turn);
      }
      const rows: ResultRow[] = [rowOf('skein bench', own), ...(wrk.length > 0 ? [rowOf('wrk', wrk)] : [])];
      const columns = ['CPU us/request', 'requests/s'];
      return {
        bars: [],
        tables: [{ title: `${connections} connections`, columns, rows, drawn: 'CPU us/request' }],
        notes: wrk.length > 0 ? [] : ['wrk is absent: it is not installed on this machine (apt-get install wrk).'],
      };
    } finally {
      peer.stop();
    }
  },
};

async function ownTurn(port: number, seconds: number) {
  const endpoint = { protocol: 'http', host: '127.0.0.1', port, isSecure: false } as const;
  const load = await startClosedLoop({ endpoint, requests: [request], pick: () => 0, timeoutMs: 30_000 }, connections);
  await sleep(200);
  load.cut();
  const before = process.cpuUsage();
  await sleep(seconds * 1_000);
  const { answered, durationMs } = load.cut();
  const { user, system } = process.cpuUsage(before);
  load.stop();
  return { perSecond: (answered * 1_000) / durationMs, cpuUsPerRequest: (user + system) / answered };
}

function rowOf(
  name: string,
  turns: readonly { readonly perSecond: number; readonly cpuUsPerRequest: number }[],
): ResultRow {
  return {
    name,
    cells: [
      spreadOf(turns.map(({ cpuUsPerRequest }) => cpuUsPerRequest)),
      spreadOf(turns.map(({ perSecond }) => perSecond)),
    ],
  };
}
