/** Ten times as many requests for one model, spread over two routers of which one decides about it: a second copy comes. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { modelOf, until } from '../fixtures/fleet-client.ts';
import { startFleet, type TestFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures } from '../fixtures/traffic/sender.ts';

const calmPerSecond = 15;
/** The bar holds where nothing else takes the cores. */
const withinMs = sized(6_000, 2_000);
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

describe('2 routers and 3 backends', () => {
  const repository = temporaryDirectory({ after });
  const ends: (() => unknown)[] = [];
  let fleet: TestFleet;
  let models: readonly string[];

  before(async () => {
    models = writeManyModels(repository, 4, { kind: 'dense', sizeBytes: 2 ** 16 });
    const shape = { repository, routers: 2, backends: 3, models: models.length };
    fleet = await startFleet({ after: (end) => ends.push(end) }, shape);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  // Of four names each router owns some: whoever is asked, the owner is the other one for half of the requests.
  for (const at of [0, 1, 2, 3]) {
    test(`a ten-fold burst on one model has a second copy within 2 s (model ${at + 1})`, async (t) => {
      const model = models[at]!;
      const [first, second] = fleet.routers;
      const routers = new RouterChoice(fleet.routers.map((one) => one.http));
      t.after(() => routers.close());
      const request = () => forModel(model, body);
      const calm = new OpenLoop(routers, calmPerSecond, request);
      await sleep(6_000); // its usual rate is known
      const readyAt = async (http: string) =>
        (await modelOf(http, model)).copies.filter(({ phase }) => phase === 'ready').length;
      assert.equal(await readyAt(first!.http), 1);
      const startMs = performance.now();
      const burst = new OpenLoop(routers, 9 * calmPerSecond, request);
      const tookMs = await until('a second copy', 20_000, async () =>
        (await readyAt(first!.http)) > 1 && (await readyAt(second!.http)) > 1 ? performance.now() - startMs : undefined,
      );
      const outcomes = [...(await burst.stop()), ...(await calm.stop())];
      const { loadMs } = (await modelOf(first!.http, model)).copies[0]!;
      showFigures(t, {
        'second copy after': milliseconds(tookMs),
        'of that its load': milliseconds(loadMs),
        longest: milliseconds(longestMs(outcomes)),
      });
      assert.equal(describeFailures(outcomes), '');
      assert.ok(tookMs - loadMs < withinMs, `after ${tookMs} ms`);
    });
  }
});
