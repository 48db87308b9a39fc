/** A backend joins a fleet under traffic: it is given its share of the copies and of the load, and no request waits for it. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { backendOf, fleetOf, loadAll, modelsOf, until } from '../fixtures/fleet-client.ts';
import { startFleet, type TestFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { seededRandom, zipf } from '../fixtures/random.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, failuresOf } from '../fixtures/traffic/sender.ts';

const modelCount = 300;
const backends = 3;
const perSecond = 100;
/** The bars hold where nothing else takes the cores; beside other work starting a process alone takes seconds. */
const servesWithinMs = sized(10_000, 2_000);
const settlesWithinMs = sized(25_000, 15_000);
const fairShare = 1 / (backends + 1);
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

describe(`2 routers, ${backends} backends with ${modelCount} models loaded, ${perSecond} requests a second`, () => {
  const repository = temporaryDirectory({ after });
  const ends: (() => unknown)[] = [];
  let fleet: TestFleet;
  let models: readonly string[];

  before(async () => {
    models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 16 });
    const shape = { repository, routers: 2, backends, models: modelCount };
    fleet = await startFleet({ after: (end) => ends.push(end) }, shape);
    await loadAll(fleet.routers, models);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  async function sums() {
    const reports = await Promise.all(fleet.routers.map((one) => fleetOf(one.http)));
    const sum = (of: (report: (typeof reports)[number]) => number) => reports.reduce((all, one) => all + of(one), 0);
    return {
      cold: sum((one) => one.coldRequests),
      moved: sum((one) => one.copiesRebalanced),
      added: sum((one) => one.copiesAdded),
      duplicates: sum((one) => one.duplicateLoads),
    };
  }

  /** Of all requests, those for models of which `id` has the copy, and half of those of which it has one of two. */
  async function loadShareOf(id: string, weights: ReadonlyMap<string, number>): Promise<number> {
    let share = 0;
    for (const { name, copies } of await modelsOf(fleet.routers[0]!.http)) {
      const ready = copies.filter(({ phase }) => phase === 'ready');
      if (ready.some(({ backend }) => backend === id)) share += weights.get(name)! / ready.length;
    }
    return share;
  }

  test('a fourth serves within 2 s of its start, and has a quarter of copies and load within 15 s', async (t) => {
    const routers = new RouterChoice(fleet.routers.map((one) => one.http));
    t.after(() => routers.close());
    const pick = zipf(modelCount, 1, seededRandom(11));
    const picks = Array.from({ length: 100_000 }, pick);
    const weights = new Map(models.map((name) => [name, 0]));
    for (const at of picks) weights.set(models[at]!, weights.get(models[at]!)! + 1 / picks.length);
    const traffic = new OpenLoop(routers, perSecond, (i) => forModel(models[picks[i % picks.length]!]!, body));
    await sleep(10_000); // routers know what is asked for
    const earlier = await sums();
    const { http } = fleet.routers[0]!;
    const startMs = performance.now();
    const started = fleet.startBackend('b4');
    const servesMs = await until('its first copy', 60_000, async () => {
      const known = await modelsOf(http);
      const isThere = known.some((one) => one.copies.some((copy) => copy.backend === 'b4' && copy.phase === 'ready'));
      return isThere ? performance.now() - startMs : undefined;
    });
    await started;
    const settledMs = await until('its share', 30_000, async () => {
      const { copies } = await backendOf(http, 'b4');
      return copies >= 0.95 * fairShare * modelCount ? performance.now() - startMs : undefined;
    }).catch(() => Infinity);
    const load = await loadShareOf('b4', weights);
    await sleep(8_000); // moves beyond it would come now
    const outcomes = await traffic.stop();
    const now = await sums();
    const held = await Promise.all(['b1', 'b2', 'b3', 'b4'].map(async (id) => (await backendOf(http, id)).copies));
    const [cold, moved, added] = [now.cold - earlier.cold, now.moved - earlier.moved, now.added - earlier.added];
    showFigures(t, {
      'serves after': milliseconds(servesMs),
      'has its share after': milliseconds(settledMs),
      'share of the load': load,
      moved,
      'copies at each': held.join('/'),
      'added for load': added,
      requests: outcomes.length,
      failed: failuresOf(outcomes).length,
      'met a cold model': cold,
      longest: milliseconds(longestMs(outcomes)),
    });
    assert.equal(describeFailures(outcomes), '');
    assert.equal(cold, 0, 'nobody waits for a load');
    assert.ok(servesMs < servesWithinMs, `serves after ${servesMs} ms`);
    assert.ok(settledMs < settlesWithinMs, `has its share after ${settledMs} ms`);
    assert.ok(moved <= 1.3 * fairShare * modelCount, `${moved} moves`);
    // One model is asked for by 16 % of the requests: no choice of copies comes to a quarter exactly.
    assert.ok(load > 0.6 * fairShare && load < 1.6 * fairShare, `${load} of the load`);
  });
});
