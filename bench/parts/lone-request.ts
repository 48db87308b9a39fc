import { join } from 'node:path';
import type { BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, imageShape } from '../frame/binary-request.ts';
import { startSkeinServer } from '../frame/skein-server.ts';
import { spreadOf } from '../frame/spread.ts';
import { oneTurn } from '../frame/turns.ts';
import { startPeer } from '../peers/peer.ts';
import { type RawEngine, settingText, startRawEngine } from '../peers/start-raw-engine.ts';

const warmUpSeconds = 3;
/**
 * The bar is a difference of two figures twelve times as large as it: the shorter the turns, the less of what changes on
 * the machine meanwhile falls between the two.
 */
const turnSeconds = 0.4;
/** About as long as an engine behind a server rests while an answer goes out and the next request comes in. */
const restMs = 2;

export const loneRequest: BenchPart = {
  title: 'A lone MobileNetV2 request',
  method:
    'One connection, a binary body of 602,112 bytes; against the run in a loop without a server, at the faster of one and two threads, plus the same body echoed by a bare node:http server. In turns of 0.4 s. Beside it the same run after a rest of 2 ms each time, as it has behind any server.',
  async run(bench) {
    const skein = await startSkeinServer(['mobilenet']);
    const echo = await startPeer('echo', 'bare-http.ts', 'echo');
    const raw = await startRawEngine(join(skein.repository, 'mobilenet', '1', 'model.onnx'));
    try {
      const load = { request: binaryRequest('mobilenet', imageShape), connections: 1 };
      const own = skein.whole('Skein');
      await oneTurn(own, load, warmUpSeconds);
      await oneTurn(echo, load, bench.seconds);
      const setting = { batch: 1, callers: 1, threads: await fasterThreads(raw, bench.seconds) };
      const [ours, runs, rested, echoes]: [number[], number[], number[], number[]] = [[], [], [], []];
      const turns = Math.ceil((bench.rounds * bench.seconds) / turnSeconds);
      for (let turn = 0; turn < turns; turn++) {
        ours.push((await oneTurn(own, load, turnSeconds)).p50Ms);
        runs.push((await raw.turn({ ...setting, seconds: turnSeconds })).p50Ms);
        rested.push((await raw.turn({ ...setting, seconds: turnSeconds, restMs })).p50Ms);
        echoes.push((await oneTurn(echo, load, turnSeconds)).p50Ms);
      }
      const beyond = spreadOf(ours.map((our, turn) => our - runs[turn]! - echoes[turn]!));
      return {
        bars: [
          {
            what: 'p50 of a lone MobileNetV2 request, beyond the run and the body echoed by node:http',
            sense: 'at most',
            limit: 0.5,
            unit: 'ms',
            figure: beyond,
          },
        ],
        tables: [
          {
            title: 'MobileNetV2, 1 connection',
            columns: ['p50 ms'],
            rows: [
              { name: 'Skein: router, backend, engine', cells: [spreadOf(ours)] },
              { name: `the run alone (${settingText(setting)})`, cells: [spreadOf(runs)] },
              { name: `the run, ${restMs} ms after the one before`, cells: [spreadOf(rested)] },
              { name: 'the body echoed by bare node:http', cells: [spreadOf(echoes)] },
            ],
            drawn: 'p50 ms',
          },
        ],
        notes: [],
      };
    } finally {
      raw.stop();
      echo.stop();
      await skein.stop();
    }
  },
};

async function fasterThreads(raw: RawEngine, seconds: number): Promise<number> {
  const [one, two] = [
    await raw.turn({ threads: 1, batch: 1, callers: 1, seconds }),
    await raw.turn({ threads: 2, batch: 1, callers: 1, seconds }),
  ];
  return one.p50Ms < two.p50Ms ? 1 : 2;
}
