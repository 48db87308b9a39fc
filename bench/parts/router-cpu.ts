import type { Bar, BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, imageShape, smallShape } from '../frame/binary-request.ts';
import { startEchoServer, startSkeinServer } from '../frame/skein-server.ts';
import { type Contender, type Turns, takeTurns } from '../frame/turns.ts';
import { ratioBar, turnsTable } from '../frame/turns-table.ts';
import { startProxies } from '../peers/all-proxies.ts';
import { startPeer } from '../peers/peer.ts';

const router = "Skein's router";
const beforeRuntime = "Skein's router, ONNX Runtime behind it";
const bytesOfAnswer = 200;

/** The issue of every gateway: what does one more hop cost? */
export const routerCpu: BenchPart = {
  title: 'What a hop costs: CPU of the router alone, against other proxies',
  method: `The router has all its limits and metrics on and passes requests to a backend that decodes and batches them,
and whose engine hands 16 floats back, or eight numbers of an image of 602,112 bytes; the time of the backend does not
count. The other proxies pass the same bytes to a bare node:http server that answers ${bytesOfAnswer} bytes, whose time
does not count either. "bare node:http" is that server without a hop. What is behind a hop costs it something, too: the
busier the machine is elsewhere, the fewer requests a process finds each time that it wakes. So small bodies also go to
ONNX Runtime, with an identity model.`.replaceAll('\n', ' '),
  async run(bench) {
    const target = await startPeer('target', 'bare-http.ts', bytesOfAnswer);
    const bare = await startPeer('bare node:http', 'bare-http.ts', bytesOfAnswer);
    const skein = await startEchoServer(['identity', 'glance']);
    const runtime = await startSkeinServer(['identity']);
    const proxies = await startProxies(target.port);
    try {
      const contenders: Contender[] = [bare, skein.routerAlone(router), ...proxies.present];
      const small = await takeTurns(bench, [...contenders, runtime.routerAlone(beforeRuntime)], {
        request: binaryRequest('identity', smallShape),
        connections: 32,
      });
      bench.say('router-cpu: bodies of 602,112 bytes');
      const large = await takeTurns(bench, contenders, {
        request: binaryRequest('glance', imageShape),
        connections: 16,
      });
      return {
        bars: bars(small, large),
        tables: [turnsTable('small body, 32 connections', small), turnsTable('602 kB body, 16 connections', large)],
        notes: proxies.notes,
      };
    } finally {
      for (const peer of [target, bare, ...proxies.present]) peer.stop();
      await skein.stop();
      await runtime.stop();
    }
  },
};

function bars(small: Turns, large: Turns): Bar[] {
  const bar = (turns: Turns, body: string, limit: number, over: string): Bar =>
    ratioBar(
      turns,
      { what: `CPU of the router, ${body}, over that of ${over}`, sense: 'at most', limit },
      { of: router, over, figure: 'cpuUsPerRequest' },
    );
  return [
    bar(small, 'small body', 1, 'haproxy'),
    bar(small, 'small body', 0.2, 'http-proxy'),
    bar(large, '602 kB body', 1.5, 'haproxy'),
    bar(large, '602 kB body', 0.4, 'undici'),
  ];
}
