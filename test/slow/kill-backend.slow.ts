/** kill -9 of a backend under steady traffic: nobody notices but by a short wait. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { backendPids, fleetOf, load, modelOf, until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { writeSlowToLoadModels } from '../fixtures/slow-models.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { latenciesMs, longestMs, percentile } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, failuresOf, type Outcome, Sender } from '../fixtures/traffic/sender.ts';

const perSecond = 200;
const modelCount = 12;
const calmMs = sized(5_000, 15_000);
const kills = sized(2, 5);
/** The bar. */
const recoveredWithinMs = 3_000;
const windowMs = 500;

describe(`kill -9 under ${perSecond} requests a second`, () => {
  for (const backends of [2, 1]) {
    test(`of ${backends === 1 ? 'the only backend' : 'one of two backends'} fails no request, and is over within 3 s`, async (t) => {
      const repository = temporaryDirectory(t);
      const models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 20 });
      const skein = await startSkein({ repository, args: ['--backends', String(backends)] });
      t.after(() => skein.kill());
      for (const model of models) await load(skein.http, model);
      await killUnderTraffic(t, skein, models);
    });
  }
});

describe('kill -9 of a backend that loads a model', () => {
  test('has the load done by the other one, and the request that waits for it answered', async (t) => {
    const repository = temporaryDirectory(t);
    const [model] = writeSlowToLoadModels(repository, 1, 500) as [string];
    const skein = await startSkein({ repository });
    t.after(() => skein.kill());
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const answer = sender.send(binaryRequest(model, [floatTensor('x', [1, 16])]));
    const { backend } = await until('the load begins', 20_000, async () =>
      (await modelOf(skein.http, model)).copies.find(({ phase }) => phase === 'loading'),
    );
    process.kill((await backendPids(skein.http)).get(backend)!, 'SIGKILL');
    const outcome = await answer;
    const [copy] = (await modelOf(skein.http, model)).copies;
    showFigures(t, { 'answered after': milliseconds(outcome.latencyMs), load: milliseconds(copy?.loadMs ?? 0) });
    assert.equal(describeFailures([outcome]), '');
    assert.notEqual(copy?.backend, backend);
  });

  test('again and again is taken for the fault of the model, which is refused by name for a while', async (t) => {
    const repository = temporaryDirectory(t);
    const [model] = writeSlowToLoadModels(repository, 1, 2_000) as [string];
    const skein = await startSkein({ repository, args: ['--backends', '1'] });
    t.after(() => skein.kill());
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const answer = sender.send(binaryRequest(model, [floatTensor('x', [1, 16])]));
    for (let kill = 0; kill < 3; kill++) {
      await until('the load begins', 30_000, async () =>
        (await modelOf(skein.http, model)).copies.find(({ phase }) => phase === 'loading'),
      );
      process.kill([...(await backendPids(skein.http)).values()][0]!, 'SIGKILL');
      await until('the copy is gone', 5_000, async () =>
        (await modelOf(skein.http, model)).copies.length === 0 ? true : undefined,
      );
    }
    const { status, problem } = await answer;
    showFigures(t, { refused: `${status} ${problem}` });
    assert.ok(status >= 400 && status < 500, `${status}`);
    assert.match(problem ?? '', /ended 3 times while it loaded this model/);
  });
});

async function killUnderTraffic(t: TestContext, skein: SkeinProcess, models: readonly string[]): Promise<void> {
  const sender = new Sender(skein.http);
  t.after(() => sender.close());
  const body = binaryRequest('', [floatTensor('input', [1, 16])]);
  const traffic = new OpenLoop(sender, perSecond, (i) => forModel(models[i % models.length]!, body));
  await sleep(calmMs);
  const killedAtMs: number[] = [];
  for (let kill = 0; kill < kills; kill++) {
    const pid = [...(await backendPids(skein.http)).values()][kill % (await backendPids(skein.http)).size]!;
    killedAtMs.push(performance.now());
    process.kill(pid, 'SIGKILL');
    await sleep(calmMs);
  }
  const outcomes = await traffic.stop();
  const before = latenciesMs(outcomes, -Infinity, killedAtMs[0]);
  const usualMs = Math.max(percentile(before, 99), 20);
  const recoveries = killedAtMs.map((atMs) => recoveryMs(outcomes, atMs, usualMs));
  const { retries, convictions } = await fleetOf(skein.http);
  showFigures(t, {
    requests: outcomes.length,
    failed: failuresOf(outcomes).length,
    kills,
    'p50 before': milliseconds(percentile(before, 50)),
    'p99 before': milliseconds(percentile(before, 99)),
    'longest after a kill': milliseconds(longestMs(outcomes)),
    'recovered after': recoveries.map((ms) => Math.round(ms)).join('/'),
    retries,
  });
  assert.equal(describeFailures(outcomes), '');
  assert.equal(convictions, 0, "a process that was killed from outside is no request's fault");
  assert.ok(longestMs(outcomes) <= recoveredWithinMs, `somebody waited ${longestMs(outcomes)} ms`);
  for (const ms of recoveries) assert.ok(ms <= recoveredWithinMs, `latency was usual again after ${ms} ms only`);
}

/**
 * How long after the kill the first whole second began in which nine of ten requests took at most twice what 99 of 100 took
 * before. What is late after that is late for another reason: nobody's wait may be long, though.
 */
function recoveryMs(outcomes: readonly Outcome[], killedAtMs: number, usualMs: number): number {
  const isUsual = (fromMs: number) =>
    percentile(latenciesMs(outcomes, killedAtMs + fromMs, killedAtMs + fromMs + windowMs), 90) <= 2 * usualMs;
  let fromMs = 0;
  while (fromMs < calmMs && !(isUsual(fromMs) && isUsual(fromMs + windowMs))) fromMs += windowMs / 5;
  return fromMs;
}
