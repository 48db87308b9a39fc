/** kill -9 of a backend under steady traffic: nobody notices but by a short wait. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { backendPids, fleetOf, load } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
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
  for (const ms of recoveries) assert.ok(ms <= recoveredWithinMs, `latency was usual again after ${ms} ms only`);
}

/** How long after the kill the last request was answered that took more than twice what 99 of 100 took before. */
function recoveryMs(outcomes: readonly Outcome[], killedAtMs: number, usualMs: number): number {
  const slow = outcomes
    .filter(({ atMs, latencyMs }) => atMs + latencyMs >= killedAtMs && atMs < killedAtMs + calmMs * 0.9)
    .filter(({ latencyMs }) => latencyMs > 2 * usualMs)
    .map(({ atMs, latencyMs }) => atMs + latencyMs - killedAtMs);
  return Math.max(0, ...slow);
}
