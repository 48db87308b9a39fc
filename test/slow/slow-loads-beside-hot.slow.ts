/** Models that take long to load, while another one is hot: its clients hardly notice. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { showFigures } from '../fixtures/figures.ts';
import { load } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { writeSlowToLoadModels } from '../fixtures/slow-models.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { latenciesMs, percentile } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, Sender } from '../fixtures/traffic/sender.ts';

const slowCount = 8;
/** Of a core to itself. */
const loadMs = sized(500, 1_500);
const hotPerSecond = 25;
/** Windows without and with loads by turns: what else the machine does is the same for both, more or less. */
const rounds = sized(5, 11);
const calmMs = 6_000;
/** The bar. */
const longestRatio = 2;

interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

describe(`${slowCount} slow loads beside a hot model`, () => {
  const repository = temporaryDirectory({ after });
  let skein: SkeinProcess;
  let hot: string;
  let slow: readonly string[];

  after(() => skein?.kill());
  before(async () => {
    [hot] = writeManyModels(repository, 1) as [string];
    // The graph of a model is optimised when it is loaded for the first time: each round has models of its own.
    slow = writeSlowToLoadModels(repository, slowCount * rounds, loadMs);
    skein = await startSkein({ repository });
    await load(skein.http, hot);
  });

  test('leave its 99th percentile below twice what it is without them', async (t) => {
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const image = binaryRequest(hot, [floatTensor('input', [1, 3, 224, 224], (i) => (i % 255) / 255)]);
    const slowBody = binaryRequest('', [floatTensor('x', [1, 16])]);
    const traffic = new OpenLoop(sender, hotPerSecond, () => image);
    await sleep(2_000);
    const calm: Window[] = [];
    const busy: Window[] = [];
    for (let round = 0; round < rounds; round++) {
      calm.push(await during(() => sleep(calmMs)));
      const models = slow.slice(round * slowCount, (round + 1) * slowCount);
      busy.push(
        await during(async () => {
          const answers = await Promise.all(models.map((model) => sender.send(forModel(model, slowBody))));
          assert.equal(describeFailures(answers), '');
        }),
      );
    }
    const outcomes = await traffic.stop();
    assert.equal(describeFailures(outcomes), '');

    const p99s = (windows: readonly Window[]) =>
      windows.map(({ fromMs, toMs }) => percentile(latenciesMs(outcomes, fromMs, toMs), 99));
    const [without, loading] = [p99s(calm), p99s(busy)];
    const ratio = percentile(
      loading.map((ms, round) => ms / without[round]!),
      50,
    );
    showFigures(t, {
      requests: outcomes.length,
      'p99 without loads': without.map(Math.round).join('/'),
      'p99 with loads': loading.map(Math.round).join('/'),
      'median ratio': ratio,
      'all eight loaded within': busy.map(({ fromMs, toMs }) => Math.round(toMs - fromMs)).join('/'),
    });
    assert.ok(ratio <= longestRatio, `p99 is ${ratio} times as long while models load`);
  });
});

async function during(work: () => Promise<unknown>): Promise<Window> {
  const fromMs = performance.now();
  await work();
  return { fromMs, toMs: performance.now() };
}
