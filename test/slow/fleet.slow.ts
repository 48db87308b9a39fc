/** Three routers, four backends and an etcd under traffic over many models: any process may be killed. */
import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, unload, until } from '../fixtures/fleet-client.ts';
import { type MemberProcess, startFleet, type TestFleet, untilFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { seededRandom, zipf } from '../fixtures/random.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { latenciesMs, longestMs, percentile } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, failuresOf, type Outcome, Sender } from '../fixtures/traffic/sender.ts';

const modelCount = 300;
const perSecond = sized(150, 300);
const calmMs = sized(5_000, 15_000);
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

describe(`a fleet of 3 routers and 4 backends, ${perSecond} requests a second over ${modelCount} models`, () => {
  const repository = temporaryDirectory({ after });
  let fleet: TestFleet;
  let models: readonly string[];
  const ends: (() => unknown)[] = [];

  before(async () => {
    models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 16 });
    fleet = await startFleet(
      { after: (end) => ends.push(end) },
      { repository, routers: 3, backends: 4, models: modelCount },
    );
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** Traffic while `trouble` happens in the middle of it; every request has to be answered. */
  async function under(t: TestContext, trouble: () => Promise<void>): Promise<readonly Outcome[]> {
    const routers = new RouterChoice(fleet.routers.map(({ http }) => http));
    t.after(() => routers.close());
    const pick = zipf(modelCount, 1, seededRandom(7));
    const traffic = new OpenLoop(routers, perSecond, () => forModel(models[pick()]!, body));
    await sleep(calmMs);
    const atMs = performance.now();
    await trouble();
    await sleep(calmMs);
    const outcomes = await traffic.stop();
    const before = latenciesMs(outcomes, -Infinity, atMs);
    const behind = latenciesMs(outcomes, atMs + 3_000);
    showFigures(t, {
      requests: outcomes.length,
      failed: failuresOf(outcomes).length,
      reconnected: routers.reconnected,
      'p50/p99 before': `${milliseconds(percentile(before, 50))}/${milliseconds(percentile(before, 99))}`,
      'longest after': milliseconds(longestMs(outcomes.filter((one) => one.atMs >= atMs))),
      'p99 from 3 s after': milliseconds(percentile(behind, 99)),
    });
    assert.equal(describeFailures(outcomes), '');
    return outcomes;
  }

  test('answers everything while it is warmed up', async (t) => {
    await under(t, async () => {});
    const { loads } = await sumOf(fleet.routers);
    assert.ok(loads > 0);
  });

  test('every router knows the same backends and models, and each other', async () => {
    for (const { http } of fleet.routers) {
      const { routers, registry, models: known } = await fleetOf(http);
      assert.deepEqual(routers, ['r1', 'r2', 'r3']);
      assert.equal(registry?.kind, 'connected');
      assert.equal(known.known, modelCount);
    }
  });

  test('serves a model that was unloaded at one router at none, until another one is asked to load it', async (t) => {
    const model = models[0]!;
    const sender = fleet.routers.map(({ http }) => new Sender(http));
    t.after(() => Promise.all(sender.map((one) => one.close())));
    const statuses = () => Promise.all(sender.map(async (one) => (await one.send(forModel(model, body))).status));
    const untilAll = (status: number) =>
      until(`${status} at every router`, 5_000, async () =>
        (await statuses()).every((one) => one === status) ? true : undefined,
      );
    await unload(fleet.routers[0]!.http, model);
    await untilAll(404);
    await load(fleet.routers[1]!.http, model);
    await untilAll(200);
  });

  test('loses a backend to kill -9 and no request', async (t) => {
    await under(t, () => fleet.backends[0]!.kill());
    fleet.backends[0] = await fleet.startBackend('b1');
    for (const { http } of fleet.routers) await untilFleet(http, 4, modelCount);
  });

  test('loses the process inside of a backend and no request, and has it back', async (t) => {
    const [router] = fleet.routers as [MemberProcess];
    const pidOf = async () => (await fleetOf(router.http)).backends.find(({ id }) => id === 'b2')!.pid!;
    const pid = await pidOf();
    await under(t, async () => void process.kill(pid, 'SIGKILL'));
    await until('it is back', 20_000, async () => ((await pidOf()) !== pid ? true : undefined));
  });

  test('loses a router to kill -9 and no request of clients that connect again', async (t) => {
    await under(t, () => fleet.routers[2]!.kill());
    fleet.routers[2] = await fleet.startRouter('r3');
    for (const { http } of fleet.routers) await untilFleet(http, 4, modelCount);
  });

  test('a fresh router knows what is loaded', async () => {
    const [fresh, other] = [fleet.routers[2]!, fleet.routers[0]!];
    const [mine, theirs] = await Promise.all(
      [fresh, other].map(async ({ http }) => (await fleetOf(http)).models.loaded),
    );
    assert.ok(mine! > 0.9 * theirs!, `${mine} of ${theirs}`);
  });

  test('restarts backends and routers one by one without a failed request', async (t) => {
    await under(t, async () => {
      for (const at of sized([1], [0, 1, 2, 3])) {
        assert.equal(await fleet.backends[at]!.stop(), 0);
        fleet.backends[at] = await fleet.startBackend(`b${at + 1}`);
        await sleep(1_000);
      }
      for (const at of sized([0], [0, 1])) {
        assert.equal(await fleet.routers[at]!.stop(), 0);
        fleet.routers[at] = await fleet.startRouter(`r${at + 1}`);
      }
    });
  });

  test('loads hardly any model twice', async (t) => {
    const { loads, duplicateLoads, copiesTrimmed } = await sumOf(fleet.routers);
    showFigures(t, { loads, duplicateLoads, copiesTrimmed });
    assert.ok(duplicateLoads <= Math.max(3, 0.05 * loads), `${duplicateLoads} of ${loads} loads were made twice`);
  });
});

async function sumOf(routers: readonly MemberProcess[]) {
  const reports = await Promise.all(routers.map(({ http }) => fleetOf(http)));
  const sum = (of: (report: (typeof reports)[number]) => number) => reports.reduce((all, one) => all + of(one), 0);
  return {
    loads: sum(({ loads }) => loads),
    duplicateLoads: sum(({ duplicateLoads }) => duplicateLoads),
    copiesTrimmed: sum(({ copiesTrimmed }) => copiesTrimmed),
  };
}
