/** A backend that stops answering without ending: SIGSTOP for a while, under steady traffic. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { backendPids, load, modelOf, modelsOf, until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { writeSlowToLoadModels } from '../fixtures/slow-models.ts';
import { binaryRequest, floatTensor, forModel } from '../fixtures/traffic/infer-request.ts';
import { latenciesMs, longestMs, percentile } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, failuresOf, Sender } from '../fixtures/traffic/sender.ts';

const perSecond = 100;
const loadedCount = 12;
/** Known and not loaded: first asked for while one backend is frozen. */
const coldCount = 8;
const frozenMs = 10_000;
/** The bar; a model whose only copy froze has the time of its load on top. */
const longestWaitMs = 2_000;
/** Of a core to itself; several times as long where others work. */
const slowLoadMs = 500;

const body = binaryRequest('', [floatTensor('input', [1, 16])]);
const slowBody = binaryRequest('', [floatTensor('x', [1, 16])]);

describe('a backend that freezes for 10 s, one of two', () => {
  const repository = temporaryDirectory({ after });
  let models: readonly string[];

  before(() => {
    models = writeManyModels(repository, loadedCount + coldCount, { kind: 'dense', sizeBytes: 2 ** 20 });
    writeSlowToLoadModels(repository, 2, slowLoadMs);
  });

  for (const frozen of ['b1', 'b2']) {
    test(`fails no request and keeps nobody waiting longer than 2 s and a load (${frozen})`, async (t) => {
      const skein = await start(repository, models.slice(0, loadedCount));
      t.after(() => skein.kill());
      const sender = new Sender(skein.http);
      t.after(() => sender.close());
      const pids = await backendPids(skein.http);
      assert.ok((await copiesOn(skein, frozen)) > 0, `nothing is loaded on ${frozen}`);

      let active: readonly string[] = models.slice(0, loadedCount);
      const traffic = new OpenLoop(sender, perSecond, (i) => forModel(active[i % active.length]!, body));
      await sleep(3_000);
      const frozeAtMs = performance.now();
      process.kill(pids.get(frozen)!, 'SIGSTOP');
      await sleep(frozenMs / 2);
      active = models;
      await sleep(frozenMs / 2);
      process.kill(pids.get(frozen)!, 'SIGCONT');
      const thawedAtMs = performance.now();
      await until('the backend is back', 5_000, async () =>
        (await backendPids(skein.http)).has(frozen) ? true : undefined,
      );
      await sleep(3_000);
      const outcomes = await traffic.stop();

      const loadMs = Math.max(
        ...(await modelsOf(skein.http)).flatMap(({ copies }) => copies.map((copy) => copy.loadMs)),
      );
      const longest = longestMs(outcomes);
      showFigures(t, {
        requests: outcomes.length,
        failed: failuresOf(outcomes).length,
        'p99 before': milliseconds(percentile(latenciesMs(outcomes, -Infinity, frozeAtMs), 99)),
        longest: milliseconds(longest),
        'longest from 2.5 s after the freeze on': milliseconds(
          Math.max(...latenciesMs(outcomes, frozeAtMs + 2_500, thawedAtMs)),
        ),
        'p99 after the thaw': milliseconds(percentile(latenciesMs(outcomes, thawedAtMs), 99)),
        'longest load': milliseconds(loadMs),
      });
      assert.equal(describeFailures(outcomes), '');
      assert.ok(
        longest <= longestWaitMs + loadMs,
        `somebody waited ${longest} ms; the longest load takes ${loadMs} ms`,
      );
      assert.deepEqual(await backendPids(skein.http), pids, 'no process was started anew');
    });
  }

  test('in the middle of a load has the model loaded by the other one', async (t) => {
    const skein = await start(repository, []);
    t.after(() => skein.kill());
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    // A first load, as the one below; what a copy says of its load is the time that the next one takes, with the graph
    // from the cache.
    const loadMs = (await sender.send(forModel('slow_load_1', slowBody))).latencyMs;
    const answer = sender.send(forModel('slow_load_0', slowBody));
    const { backend } = await until('the load begins', 5_000, async () => {
      const { copies } = await modelOf(skein.http, 'slow_load_0');
      return copies.find(({ phase }) => phase === 'loading');
    });
    const frozenPid = (await backendPids(skein.http)).get(backend)!;
    process.kill(frozenPid, 'SIGSTOP');
    const frozeAtMs = performance.now();
    t.after(() => process.kill(frozenPid, 'SIGCONT'));
    const outcome = await answer;
    const copies = (await modelOf(skein.http, 'slow_load_0')).copies.filter(({ phase }) => phase === 'ready');
    const waitedMs = outcome.atMs + outcome.latencyMs - frozeAtMs;
    showFigures(t, { 'answered after': milliseconds(waitedMs), 'a first load': milliseconds(loadMs) });
    assert.equal(describeFailures([outcome]), '');
    assert.notEqual(copies[0]?.backend, backend);
    assert.ok(waitedMs <= longestWaitMs + loadMs, `waited ${waitedMs} ms after the freeze`);
  });
});

async function start(repository: string, loaded: readonly string[]): Promise<SkeinProcess> {
  const skein = await startSkein({ repository });
  for (const model of loaded) await load(skein.http, model);
  return skein;
}

async function copiesOn({ http }: SkeinProcess, backend: string): Promise<number> {
  return (await modelsOf(http)).flatMap(({ copies }) => copies).filter((copy) => copy.backend === backend).length;
}
