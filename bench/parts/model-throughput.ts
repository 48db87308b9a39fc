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

const bars = { resnet50: 0.92, mobilenet: 0.75 } as const satisfies Partial<Record<BenchModel, number>>;

export const modelThroughput: BenchPart = {
  title: 'Rows per second of real networks, against the runtime in a loop without a server',
  method:
    'Binary bodies of 602,112 bytes; Skein untuned, with router, backend and load generator on the same cores. The loop calls ONNX Runtime through the same binding; a short scan finds its best batch, threads and callers, and Skein’s best number of connections; then the two take turns.',
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

export interface Contest {
  readonly model: string;
  /** What the loop tries. */
  readonly settings: readonly Setting[];
  readonly limit: number;
  readonly request: ReturnType<typeof binaryRequest>;
  /** Left out: the best number is looked for. */
  readonly connections?: number;
}

export async function compare(bench: Bench, contest: Contest, raw: RawEngine, skein: SkeinServer) {
  const { model, request, limit } = contest;
  const seconds = bench.seconds * turnFactor;
  const contender = skein.whole(model);
  const scan = await scanSettings(raw, contest.settings, bench.seconds);
  bench.say(`model-throughput: ${model}: the loop is best at ${settingText(scan.best)}`);
  const connections = contest.connections ?? (await bestConnections(contender, request, bench.seconds));
  bench.say(`model-throughput: ${model}: Skein has ${connections} connections`);
  await oneTurn(contender, { request, connections }, learningSeconds);
  const [rawRows, ownRows]: [number[], number[]] = [[], []];
  for (let round = 0; round < bench.rounds; round++) {
    rawRows.push((await raw.turn({ ...scan.best, seconds })).rowsPerSecond);
    ownRows.push((await oneTurn(contender, { request, connections }, seconds)).perSecond);
  }
  const bar: Bar = {
    what: `rows/s of ${model} through Skein, over the loop's best`,
    sense: 'at least',
    limit,
    unit: '',
    figure: ratioOf(ownRows, rawRows),
  };
  const rows = [
    { name: `loop: ${settingText(scan.best)}`, cells: [spreadOf(rawRows)] },
    { name: `Skein: ${connections} connections`, cells: [spreadOf(ownRows)] },
    ...scan.others.map(({ setting, rowsPerSecond }) => {
      return { name: `loop: ${settingText(setting)}`, cells: [`${rowsPerSecond.toFixed(1)} (one turn of the scan)`] };
    }),
  ];
  return { bar, table: { title: model, columns: ['rows/s'], rows, drawn: 'rows/s' } };
}

async function scanSettings(raw: RawEngine, settings: readonly Setting[], seconds: number) {
  const seen: { readonly setting: Setting; readonly rowsPerSecond: number }[] = [];
  // By threads, so that the model is loaded twice only.
  for (const setting of settings.toSorted((a, b) => a.threads - b.threads)) {
    const { rowsPerSecond } = await raw.turn({ ...setting, seconds });
    seen.push({ setting, rowsPerSecond });
  }
  seen.sort((a, b) => b.rowsPerSecond - a.rowsPerSecond);
  const [best, ...others] = seen;
  return { best: best!.setting, others };
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
