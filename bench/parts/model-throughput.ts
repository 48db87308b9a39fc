import { join } from 'node:path';
import type { BenchModel } from '../../examples/models/write-bench-models.ts';
import type { Bar, Bench, BenchPart, ResultTable } from '../frame/bench-part.ts';
import { binaryRequest, imageShape } from '../frame/binary-request.ts';
import { type SkeinServer, startSkeinServer } from '../frame/skein-server.ts';
import { ratioOf, spreadOf } from '../frame/spread.ts';
import { type Contender, oneTurn } from '../frame/turns.ts';
import type { RawSetting } from '../peers/raw-engine.ts';
import { type RawEngine, settingText, startRawEngine } from '../peers/start-raw-engine.ts';

export type Setting = Omit<RawSetting, 'seconds'>;

/** What somebody who tunes by hand would try on a few cores. */
const settings: readonly Setting[] = [1, 2, 4, 8].flatMap((batch) => [
  { batch, threads: 2, callers: 1 },
  { batch, threads: 1, callers: 2 },
]);
const connectionCounts = [8, 16, 32, 64] as const;
/** Turns of these last longer: a batch of ResNet-50 takes a quarter of a second. */
const turnFactor = 2;
const learningSeconds = 4;
/** Settings of the loop that take turns with Skein: a single turn of the scan may be wrong about the best. */
const finalists = 2;

const bars = { resnet50: 0.92, mobilenet: 0.75 } as const satisfies Partial<Record<BenchModel, number>>;

export const modelThroughput: BenchPart = {
  title: 'Rows per second of real networks, against the runtime in a loop without a server',
  method:
    'Binary bodies of 602,112 bytes; Skein untuned, with router, backend and load generator on the same cores. The loop calls ONNX Runtime through the same binding; a short scan finds its two best settings of batch, threads and callers, and Skein’s best number of connections; then they take turns, and the loop counts with the better of its two.',
  async run(bench) {
    const found: Bar[] = [];
    const tables: ResultTable[] = [];
    const skein = await startSkeinServer(['mobilenet', 'resnet50']);
    try {
      for (const model of ['resnet50', 'mobilenet'] as const) {
        const raw = await startRawEngine(join(skein.repository, model, '1', 'model.onnx'));
        try {
          const contest = { model, settings, limit: bars[model], request: binaryRequest(model, imageShape) };
          const { bar, table } = await compare(bench, contest, raw, skein);
          found.push(bar);
          tables.push(table);
        } finally {
          raw.stop();
        }
      }
    } finally {
      await skein.stop();
    }
    return { bars: found, tables, notes: [] };
  },
};

interface Contest {
  readonly model: string;
  /** What the loop tries. */
  readonly settings: readonly Setting[];
  readonly limit: number;
  readonly request: ReturnType<typeof binaryRequest>;
  /** Left out: the best number is looked for. */
  readonly connections?: number;
  /** Left out: a few. */
  readonly learningSeconds?: number;
}

export async function compare(bench: Bench, contest: Contest, raw: RawEngine, skein: SkeinServer) {
  const { model, request, limit } = contest;
  const seconds = bench.seconds * turnFactor;
  const contender = skein.whole(model);
  const scanned = await scanSettings(raw, contest.settings, bench.seconds);
  const loops = scanned.slice(0, finalists).map(({ setting }) => ({ setting, rows: [] as number[] }));
  bench.say(`${model}: the loop is best at ${settingText(loops[0]!.setting)}`);
  const connections = contest.connections ?? (await bestConnections(contender, request, bench.seconds));
  bench.say(`${model}: Skein has ${connections} connections`);
  await oneTurn(contender, { request, connections }, contest.learningSeconds ?? learningSeconds);
  const own: number[] = [];
  for (let round = 0; round < bench.rounds; round++) {
    for (const { setting, rows } of loops) rows.push((await raw.turn({ ...setting, seconds })).rowsPerSecond);
    own.push((await oneTurn(contender, { request, connections }, seconds)).perSecond);
  }
  const best = loops.reduce((a, b) => (spreadOf(b.rows).median > spreadOf(a.rows).median ? b : a));
  const what = `rows/s of ${model} through Skein, over the loop's best`;
  const bar: Bar = { what, sense: 'at least', limit, unit: '', figure: ratioOf(own, best.rows) };
  const rows = [
    { name: `Skein: ${connections} connections`, cells: [spreadOf(own)] },
    ...loops.map((loop) => ({ name: `loop: ${settingText(loop.setting)}`, cells: [spreadOf(loop.rows)] })),
    ...scanned.slice(finalists).map(({ setting, rowsPerSecond }) => {
      return { name: `loop: ${settingText(setting)}`, cells: [`${rowsPerSecond.toFixed(1)} (one turn of the scan)`] };
    }),
  ];
  return { bar, table: { title: model, columns: ['rows/s'], rows, drawn: 'rows/s' } };
}

/** All settings, the best one first. */
async function scanSettings(raw: RawEngine, settings: readonly Setting[], seconds: number) {
  const seen: { readonly setting: Setting; readonly rowsPerSecond: number }[] = [];
  // By threads, so that the model is loaded twice only.
  for (const setting of settings.toSorted((a, b) => a.threads - b.threads)) {
    const { rowsPerSecond } = await raw.turn({ ...setting, seconds });
    seen.push({ setting, rowsPerSecond });
  }
  return seen.sort((a, b) => b.rowsPerSecond - a.rowsPerSecond);
}

/** Begins with the time in which the server learns. */
async function bestConnections(
  contender: Contender,
  request: ReturnType<typeof binaryRequest>,
  seconds: number,
): Promise<number> {
  await oneTurn(contender, { request, connections: 16 }, learningSeconds);
  let best = { perSecond: 0, connections: 0 };
  for (const connections of connectionCounts) {
    const { perSecond } = await oneTurn(contender, { request, connections }, seconds);
    if (perSecond > best.perSecond) best = { perSecond, connections };
  }
  return best.connections;
}
