import type { BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, smallShape } from '../frame/binary-request.ts';
import { startEchoServer, startSkeinServer } from '../frame/skein-server.ts';
import { spreadOfPairs } from '../frame/spread.ts';
import { takeTurns } from '../frame/turns.ts';
import { figures, turnsTable } from '../frame/turns-table.ts';
import { startPeer } from '../peers/peer.ts';

const whole = 'Skein: router, backend, an engine that echoes';
const withRuntime = 'Skein: router, backend, ONNX Runtime';
const bare = 'bare node:http';

export const addedLatency: BenchPart = {
  title: 'What Skein adds to the latency of a lone client',
  method:
    'One connection, one request at a time, 16 floats that come back, against a bare node:http server that answers as many bytes. The bar is for what Skein adds itself, with an engine that does nothing; a run of ONNX Runtime beside it.',
  async run(bench) {
    const peer = await startPeer(bare, 'bare-http.ts', 200);
    const skein = await startEchoServer(['identity']);
    const runtime = await startSkeinServer(['identity']);
    try {
      const request = binaryRequest('identity', smallShape);
      const contenders = [peer, skein.whole(whole), runtime.whole(withRuntime)];
      const turns = await takeTurns(bench, contenders, { request, connections: 1 });
      const [ours, theirs] = [turns.get(whole)!, turns.get(bare)!];
      return {
        bars: [
          {
            what: 'p50 of an echoed request, 1 connection, beyond that of a bare answer',
            sense: 'at most',
            limit: 0.25,
            unit: 'ms',
            figure: spreadOfPairs(figures(ours, 'p50Ms'), figures(theirs, 'p50Ms'), (our, their) => our - their),
          },
        ],
        tables: [turnsTable('16 floats, 1 connection', turns)],
        notes: [],
      };
    } finally {
      peer.stop();
      await skein.stop();
      await runtime.stop();
    }
  },
};
