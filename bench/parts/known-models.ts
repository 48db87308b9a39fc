import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import type { WireRequest } from '../../src/cli/bench/lane.ts';
import type { Bench, BenchPart } from '../frame/bench-part.ts';
import { binaryRequest, smallShape } from '../frame/binary-request.ts';
import { figureText } from '../frame/figure-text.ts';
import { startSkeinServer } from '../frame/skein-server.ts';
import { type Contender, type Turns, takeTurns } from '../frame/turns.ts';
import { ratioBar, turnsTable } from '../frame/turns-table.ts';

const known = 10_000;
const active = 100;
/** For what loads leave to be done behind them. */
const settleMs = 5_000;
const one = 'one model';
const oneOfMany = `one of ${figureText(known)} models`;
const many = `${active} of ${figureText(known)} models`;

export const knownModels: BenchPart = {
  title: 'What 10,000 known models cost, of which 100 are asked',
  method:
    'Two servers with the identity model of 16 floats: one knows it under one name, the other under 10,000, of which one or 100 are asked at random. One connection, so that neither shares runs among requests, which only requests for the same model can; with 16 connections that shows. The bars compare servers of one backend process each. With two, as by default on two cores, one model has its copy in one of them, and the other sleeps; 100 models keep both awake by turns, and each finds the caches to be the other’s: that is the price of a second process, however many models there are, and stands in the other two tables without a bar.',
  async run(bench) {
    const [alone] = await compare(bench, ['--backends', '1'], [1]);
    const [spread, together] = await compare(bench, ['--backends', '2'], [1, 16]);
    const bar = (figure: 'p50Ms' | 'cpuUsPerRequest', name: string) =>
      ratioBar(
        alone!,
        { what: `${name} with ${many} over that with one, one backend`, sense: 'at most', limit: 1.1 },
        { of: many, over: one, figure },
      );
    return {
      bars: [bar('p50Ms', 'p50'), bar('cpuUsPerRequest', 'CPU per request')],
      tables: [
        turnsTable('1 connection, one backend', alone!),
        turnsTable('1 connection, two backends', spread!),
        turnsTable('16 connections, two backends', together!),
      ],
      notes: [],
    };
  },
};

/** The turns of both servers, for each number of connections. */
async function compare(bench: Bench, args: readonly string[], connections: readonly number[]): Promise<Turns[]> {
  const single = await startSkeinServer(['identity'], args);
  try {
    const crowd = await startSkeinServer(writeCrowd, args);
    try {
      const requests = Array.from({ length: active }, (_, i) => binaryRequest(nameOf(i), smallShape));
      const contenders: Contender[] = [
        single.whole(one),
        { ...crowd.whole(oneOfMany), requests: requests.slice(0, 1) },
        { ...crowd.whole(many), requests },
      ];
      const request: WireRequest = binaryRequest('identity', smallShape);
      await ask(single.process.http, 'identity');
      for (let i = 0; i < active; i++) await ask(crowd.process.http, nameOf(i));
      await sleep(settleMs);
      const turns: Turns[] = [];
      for (const count of connections) turns.push(await takeTurns(bench, contenders, { request, connections: count }));
      return turns;
    } finally {
      await crowd.stop();
    }
  } finally {
    await single.stop();
  }
}

/** A first request loads the model. */
async function ask(url: string, model: string): Promise<void> {
  const input = { name: 'input', datatype: 'FP32', shape: smallShape, data: new Array<number>(16).fill(0) };
  const body = JSON.stringify({ inputs: [input] });
  const answer = await fetch(`${url}/v2/models/${model}/infer`, { method: 'POST', body });
  if (!answer.ok) throw new Error(`${model}: ${answer.status} ${await answer.text()}`);
  await answer.arrayBuffer();
}

function nameOf(i: number): string {
  return `identity-${String(i).padStart(5, '0')}`;
}

function writeCrowd(repository: string): void {
  const pattern = join(repository, 'identity');
  writeBenchModels(repository, ['identity']);
  const config = readFileSync(join(pattern, 'config.pbtxt'), 'utf8');
  const model = readFileSync(join(pattern, '1', 'model.onnx'));
  for (let i = 1; i < known; i++) {
    const folder = join(repository, nameOf(i - 1));
    mkdirSync(join(folder, '1'), { recursive: true });
    writeFileSync(join(folder, '1', 'model.onnx'), model);
    writeFileSync(join(folder, 'config.pbtxt'), config.replace('"identity"', `"${nameOf(i - 1)}"`));
  }
}
