/** Models that take long to load, while another one is hot: its clients hardly notice. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { load, modelsOf, unload, until } from '../fixtures/fleet-client.ts';
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
/** Of a core to itself, without a cached graph. */
const loadMs = sized(600, 2_000);
const hotPerSecond = 20;
const calmMs = sized(15_000, 30_000);
const rounds = sized(1, 3);
/** The bar. */
const longestRatio = 2;

describe(`${slowCount} slow loads beside a hot model`, () => {
  const repository = temporaryDirectory({ after });
  let skein: SkeinProcess;
  let hot: string;
  let slow: readonly string[];

  after(() => skein?.kill());
  before(async () => {
    [hot] = writeManyModels(repository, 1) as [string];
    slow = writeSlowToLoadModels(repository, slowCount, loadMs);
    // Without a cache every load is as slow as the first one.
    skein = await startSkein({ repository, args: ['--graph-cache', '0'] });
    await load(skein.http, hot);
  });

  test('leave its 99th percentile below twice what it is without them', async (t) => {
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const image = binaryRequest(hot, [floatTensor('input', [1, 3, 224, 224], (i) => (i % 255) / 255)]);
    const slowBody = binaryRequest('', [floatTensor('x', [1, 16])]);
    const traffic = new OpenLoop(sender, hotPerSecond, () => image);
    await sleep(2_000);
    const calm: [number, number][] = [];
    const busy: [number, number][] = [];
    for (let round = 0; round < rounds; round++) {
      calm.push(await during(() => sleep(calmMs)));
      busy.push(
        await during(async () => {
          const answers = await Promise.all(slow.map((model) => sender.send(forModel(model, slowBody))));
          assert.equal(describeFailures(answers), '');
        }),
      );
      for (const model of slow) await unload(skein.http, model);
      await until('the slow ones are gone', 10_000, async () =>
        (await modelsOf(skein.http)).flatMap(({ copies }) => copies).length === 1 ? true : undefined,
      );
    }
    calm.push(await during(() => sleep(calmMs)));
    const outcomes = await traffic.stop();
    assert.equal(describeFailures(outcomes), '');

    const within = (windows: typeof calm) => windows.flatMap(([from, to]) => latenciesMs(outcomes, from, to));
    const [calmP99, busyP99] = [percentile(within(calm), 99), percentile(within(busy), 99)];
    showFigures(t, {
      'requests without / with loads': `${within(calm).length} / ${within(busy).length}`,
      'p50 without / with': `${milliseconds(percentile(within(calm), 50))} / ${milliseconds(percentile(within(busy), 50))}`,
      'p99 without / with': `${milliseconds(calmP99)} / ${milliseconds(busyP99)}`,
      ratio: busyP99 / calmP99,
      'all eight loaded within': milliseconds(busy.reduce((sum, [from, to]) => sum + to - from, 0) / rounds),
    });
    assert.ok(busyP99 <= longestRatio * calmP99, `p99 is ${busyP99 / calmP99} times as long while models load`);
  });
});

async function during(work: () => Promise<unknown>): Promise<[fromMs: number, toMs: number]> {
  const fromMs = performance.now();
  await work();
  return [fromMs, performance.now()];
}
