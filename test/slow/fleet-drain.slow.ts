/** Backends are emptied and stopped while requests go on: what they held is elsewhere before it leaves. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { PlanReport } from '../../src/router/mesh/reports.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { backendOf, fleetOf, loadAll, until } from '../fixtures/fleet-client.ts';
import { startFleet, type TestFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, failuresOf } from '../fixtures/traffic/sender.ts';

const modelCount = 300;
const perSecond = 100;
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

describe(`a fleet of 4 backends with ${modelCount} models loaded, ${perSecond} requests a second`, () => {
  const repository = temporaryDirectory({ after });
  const ends: (() => unknown)[] = [];
  let fleet: TestFleet;
  let models: readonly string[];
  let http = '';

  before(async () => {
    models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 16 });
    const shape = { repository, routers: 2, backends: 4, models: modelCount };
    fleet = await startFleet({ after: (end) => ends.push(end) }, shape);
    http = fleet.routers[0]!.http;
    await loadAll(fleet.routers, models);
  });
  after(async () => {
    for (const end of ends) await end();
  });

  /** What traffic saw while `change` was made; no request may fail or meet a cold model. */
  async function under(t: TestContext, change: () => Promise<unknown>) {
    const routers = new RouterChoice(fleet.routers.map((one) => one.http));
    t.after(() => routers.close());
    const sums = async () => {
      const reports = await Promise.all(fleet.routers.map((one) => fleetOf(one.http)));
      const sum = (of: (report: (typeof reports)[number]) => number) => reports.reduce((all, one) => all + of(one), 0);
      return { cold: sum((one) => one.coldRequests), moved: sum((one) => one.copiesMoved) };
    };
    const earlier = await sums();
    const traffic = new OpenLoop(routers, perSecond, (i) => forModel(models[(7 * i) % modelCount]!, body));
    await sleep(1_000);
    const startMs = performance.now();
    await change();
    const tookMs = performance.now() - startMs;
    await sleep(3_500); // every model is asked for once more
    const outcomes = await traffic.stop();
    const now = await sums();
    const [cold, moved] = [now.cold - earlier.cold, now.moved - earlier.moved];
    showFigures(t, {
      requests: outcomes.length,
      failed: failuresOf(outcomes).length,
      'met a cold model': cold,
      moved,
      took: milliseconds(tookMs),
      longest: milliseconds(longestMs(outcomes)),
    });
    assert.equal(describeFailures(outcomes), '');
    assert.equal(cold, 0, 'nobody waits for a load');
    return { moved };
  }

  test('drains one by command: the plan first, no request fails or meets a cold model', async (t) => {
    const held = (await backendOf(http, 'b2')).copies;
    assert.ok(held > modelCount / 8, `${held} copies`);
    let said = '';
    const plannedMs = (await plan(http, 'b2')).estimatedMs;
    let tookMs = 0;
    const { moved } = await under(t, async () => {
      const startMs = performance.now();
      const { code, text } = await skein('drain', 'b2', '--url', http);
      said = text;
      tookMs = performance.now() - startMs;
      assert.equal(code, 0, text);
    });
    showFigures(t, { held, moved, planned: /\d+ moves[^\n]*/.exec(said)?.[0] ?? said });
    assert.match(said, /\d+ moves, .*about/);
    assert.ok(plannedMs > tookMs / 5 && plannedMs < 5 * tookMs, `planned ${plannedMs} ms, took ${tookMs} ms`);
    assert.match(said, /b2 is empty after/);
    assert.ok(moved <= 1.1 * held, `${moved} moves for ${held} copies`);
    assert.equal((await backendOf(http, 'b2')).copies, 0);
    assert.equal((await backendOf(http, 'b2')).state, 'draining');
  });

  test('takes it back', async () => {
    assert.equal((await skein('drain', '--undo', 'b2', '--url', http)).code, 0);
    await until('up', 5_000, async () => ((await backendOf(http, 'b2')).state === 'up' ? true : undefined));
  });

  test('lets one leave on SIGTERM without a cold request', async (t) => {
    await under(t, async () => assert.equal(await fleet.backends[2]!.stop(), 0));
    await until('forgotten', 10_000, async () =>
      (await fleetOf(http)).backends.some(({ id }) => id === 'b3') ? undefined : true,
    );
  });

  test('refuses to drain what is not there', async () => {
    const { code, text } = await skein('drain', 'nobody', '--url', http);
    assert.notEqual(code, 0);
    assert.match(text, /nobody/);
  });

  test('shows members, their states and the registry in ps', async () => {
    const { text } = await skein('ps', '--url', http);
    assert.match(text, /2 routers: r1, r2/);
    assert.match(text, /^b1 +skein +up/m);
  });
});

async function plan(http: string, backend: string): Promise<PlanReport> {
  return (await fetch(`${http}/fleet/plan?drain=${backend}`)).json() as Promise<PlanReport>;
}

/** The command as a user calls it. */
function skein(...args: string[]): Promise<{ code: number | null; text: string }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, '../../skein'), ...args], { stdio: 'pipe' });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  child.stderr.on('data', (chunk) => {
    text += chunk;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, text })));
}
