import { join } from 'node:path';
import type { BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, imageShape } from '../frame/binary-request.ts';
import { figureText } from '../frame/figure-text.ts';
import { jsonRequest } from '../frame/json-request.ts';
import { startSkeinServer } from '../frame/skein-server.ts';
import { spreadOf } from '../frame/spread.ts';
import { oneTurn } from '../frame/turns.ts';
import { startRawEngine } from '../peers/start-raw-engine.ts';

const warmUpSeconds = 3;
const connections = 2;
/** The setting that takes least CPU: the rest is counted as the server's. */
const setting = { batch: 1, threads: 1, callers: 1 } as const;

export const jsonImage: BenchPart = {
  title: 'An image as JSON',
  method: `CPU of the whole server for a MobileNetV2 request whose 150,528 numbers are JSON, beyond that of the run in a loop on one thread; ${connections} connections. The binary body of the same image stands beside it.`,
  async run(bench) {
    const skein = await startSkeinServer(['mobilenet']);
    const raw = await startRawEngine(join(skein.repository, 'mobilenet', '1', 'model.onnx'));
    try {
      const own = skein.whole('Skein');
      const json = { request: jsonRequest('mobilenet', imageShape), connections };
      const binary = { request: binaryRequest('mobilenet', imageShape), connections };
      await oneTurn(own, json, warmUpSeconds);
      await oneTurn(own, binary, warmUpSeconds);
      const [jsonMs, binaryMs, runMs]: [number[], number[], number[]] = [[], [], []];
      for (let round = 0; round < bench.rounds; round++) {
        jsonMs.push((await oneTurn(own, json, bench.seconds)).cpuUsPerRequest / 1_000);
        binaryMs.push((await oneTurn(own, binary, bench.seconds)).cpuUsPerRequest / 1_000);
        runMs.push((await raw.turn({ ...setting, seconds: bench.seconds })).cpuMsPerRow);
      }
      return {
        bars: [
          {
            what: `CPU of a MobileNetV2 request whose image is JSON (${figureText(json.request[0].byteLength / 1e6)} MB), beyond the run`,
            sense: 'at most',
            limit: 15,
            unit: 'ms',
            figure: spreadOf(jsonMs.map((ms, round) => ms - runMs[round]!)),
          },
        ],
        tables: [
          {
            title: 'MobileNetV2',
            columns: ['CPU ms/request'],
            rows: [
              { name: 'Skein, image as JSON', cells: [spreadOf(jsonMs)] },
              { name: 'Skein, binary body', cells: [spreadOf(binaryMs)] },
              { name: 'the run alone', cells: [spreadOf(runMs)] },
            ],
            drawn: 'CPU ms/request',
          },
        ],
        notes: [],
      };
    } finally {
      raw.stop();
      await skein.stop();
    }
  },
};
