import type { BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, smallShape } from '../frame/binary-request.ts';
import { startSkeinServer } from '../frame/skein-server.ts';
import { takeTurns } from '../frame/turns.ts';
import { ratioBar, turnsTable } from '../frame/turns-table.ts';
import { startPeer } from '../peers/peer.ts';

const whole = 'Skein: router, backend, engine';
const bare = 'bare node:http';

export const requestPath: BenchPart = {
  title: 'What a request costs from end to end: router, link, backend and ONNX Runtime',
  method:
    'An identity model of 16 floats, binary bodies; CPU of all processes of the server, against a bare node:http server that answers as many bytes.',
  async run(bench) {
    const peer = await startPeer(bare, 'bare-http.ts', 200);
    const skein = await startSkeinServer(['identity']);
    try {
      const contenders = [peer, skein.whole(whole)];
      const request = binaryRequest('identity', smallShape);
      const turns = await takeTurns(bench, contenders, { request, connections: 64 });
      const few = await takeTurns(bench, contenders, { request, connections: 8 });
      return {
        bars: [
          ratioBar(
            turns,
            {
              what: 'CPU of router and backend, identity, 64 connections, over a bare answer',
              sense: 'at most',
              limit: 2.5,
            },
            { of: whole, over: bare, figure: 'cpuUsPerRequest' },
          ),
        ],
        tables: [turnsTable('identity, 64 connections', turns), turnsTable('identity, 8 connections', few)],
        notes: [],
      };
    } finally {
      peer.stop();
      await skein.stop();
    }
  },
};
