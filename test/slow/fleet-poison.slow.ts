/** A request that ends the process it runs in, sent to a fleet: what one router found out, all others go by. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, until } from '../fixtures/fleet-client.ts';
import { startFleet, type TestFleet } from '../fixtures/fleet-processes.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory, writeModelFolder } from '../fixtures/model-folder.ts';
import { deadlyModel, poisonPair, writePoisonModel } from '../fixtures/poison-model.ts';
import { binaryRequest, floatTensor, type InferRequest, int32Tensor } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { RouterChoice } from '../fixtures/traffic/router-choice.ts';
import { describeFailures, Sender } from '../fixtures/traffic/sender.ts';

const healthyPerSecond = 100;
const repeats = 20;
const neighbours = 3;

const poison = divide(poisonPair.x, poisonPair.y);
const convictedText = /this request ended the process of model 'poison' twice; the same body is refused for \d+ s/;

describe('a request that ends its process, in a fleet of 2 routers and 3 backends', () => {
  test(`costs two processes by one router, and none by the other, however often it comes`, async (t) => {
    const { fleet, models } = await start(t);
    const [a, b] = fleet.routers.map(({ http }) => http) as [string, string];
    const traffic = healthyTraffic(t, fleet, models);
    await sleep(1_000);
    const sender = new Sender(a);
    const other = new Sender(b);
    t.after(() => Promise.all([sender.close(), other.close()]));
    const first = await sender.send(poison);
    const crashes = crashesOf(fleet);
    await until('the other router knows', 5_000, async () => ((await fleetOf(b)).refused === 1 ? true : undefined));
    const again = [];
    for (let i = 0; i < repeats; i++) again.push(await other.send(poison));
    await sleep(1_000);
    const healthy = await traffic.stop();
    showFigures(t, {
      healthy: healthy.length,
      'longest healthy': milliseconds(longestMs(healthy)),
      'the first poisoned answered after': milliseconds(first.latencyMs),
      'longest refusal': milliseconds(longestMs(again)),
      'crashes by the first': crashes,
      'crashes by the others': crashesOf(fleet) - crashes,
    });
    assert.equal(describeFailures(healthy), '');
    for (const { status, problem } of [first, ...again]) {
      assert.equal(status, 400);
      assert.match(problem ?? '', convictedText);
    }
    assert.equal(crashes, 2);
    assert.equal(crashesOf(fleet), 2, 'none of the repeated ones reached a process');
    const convictions = await Promise.all([a, b].map(async (http) => (await fleetOf(http)).convictions));
    assert.deepEqual(convictions, [1, 0]);
    await assertTold(b, fleet.routers[1]!.metrics);
    // A router that has only begun goes by it, too.
    const fresh = await fleet.startRouter('r3');
    const late = new Sender(fresh.http);
    t.after(() => late.close());
    assert.equal((await late.send(poison)).status, 400);
    assert.equal(crashesOf(fleet), 2);
  });

  test('a model that ends whoever loads it costs two processes, whichever router is asked for it', async (t) => {
    const { fleet, models } = await start(t, { deadly: deadlyModel() });
    const [a, b] = fleet.routers.map(({ http }) => http) as [string, string];
    const traffic = healthyTraffic(t, fleet, models);
    await sleep(1_000);
    const ask = async (http: string) => {
      const answer = await fetch(`${http}/v2/models/deadly/infer`, { method: 'POST', body: '{"inputs":[]}' });
      return { status: answer.status, text: await answer.text() };
    };
    const first = await ask(a);
    const crashes = crashesOf(fleet);
    await until('the other router knows', 5_000, async () => ((await fleetOf(b)).refused === 1 ? true : undefined));
    const again = [];
    for (let i = 0; i < repeats; i++) again.push(await ask([a, b][i % 2]!));
    const forced = await fetch(`${b}/v2/repository/models/deadly/load`, { method: 'POST' });
    await sleep(1_000);
    const healthy = await traffic.stop();
    showFigures(t, { healthy: healthy.length, 'longest healthy': milliseconds(longestMs(healthy)), crashes });
    assert.equal(describeFailures(healthy), '');
    for (const { status, text } of [first, ...again]) {
      assert.ok(status >= 400, `status ${status}`);
      assert.match(text, /two backends ended while they loaded these files/);
    }
    assert.notEqual(forced.status, 200);
    assert.deepEqual([crashes, crashesOf(fleet)], [2, 2]);
    assert.match(await skein('ps', '--url', b), /\ndeadly +load +1:\S+ +\S+.* +it ended two processes/);
    assert.match(await skein('explain', 'deadly', '--url', b), /two backends ended while they loaded these files/);
  });
});

async function start(
  t: TestContext,
  others: Readonly<Record<string, Buffer>> = {},
): Promise<{ fleet: TestFleet; models: readonly string[] }> {
  const repository = temporaryDirectory(t);
  writePoisonModel(repository);
  for (const [name, file] of Object.entries(others)) writeModelFolder(repository, name, { versions: { 1: file } });
  const models = writeManyModels(repository, neighbours, { kind: 'dense', sizeBytes: 2 ** 20 });
  const fleet = await startFleet(t, {
    repository,
    routers: 2,
    backends: 3,
    models: neighbours + 1 + Object.keys(others).length,
  });
  for (const model of ['poison', ...models]) await load(fleet.routers[0]!.http, model);
  return { fleet, models };
}

/** Half of it for the model of the poisoned requests, half for its neighbours; through both routers. */
function healthyTraffic(t: TestContext, fleet: TestFleet, models: readonly string[]): OpenLoop {
  const routers = new RouterChoice(fleet.routers.map(({ http }) => http));
  t.after(() => routers.close());
  const neighbour = floatTensor('input', [1, 16]);
  return new OpenLoop(routers, healthyPerSecond, (i) =>
    i % 2 === 0 ? divide(3 * i, 3) : binaryRequest(models[(i >> 1) % models.length]!, [neighbour]),
  );
}

async function assertTold(http: string, metrics: string): Promise<void> {
  assert.match(await (await fetch(`${metrics}/metrics`)).text(), /^skein_convictions_in_force 1$/m);
  assert.match(await skein('ps', '--url', http), /REFUSED +WHAT.*\npoison +body +\S+= +\S+.* +it ended two processes/);
  assert.match(await skein('explain', 'poison', '--url', http), /1 body of requests for it refused/);
}

async function skein(...args: readonly string[]): Promise<string> {
  const command = join(import.meta.dirname, '../../skein');
  return (await promisify(execFile)(process.execPath, [command, ...args])).stdout;
}

function divide(x: number, y: number): InferRequest {
  return binaryRequest('poison', [int32Tensor('x', [1, 1], [x]), int32Tensor('y', [1, 1], [y])]);
}

function crashesOf({ backends }: TestFleet): number {
  return backends.reduce((sum, { log }) => sum + log().split('"backend process ended').length - 1, 0);
}
