/** A request that ends the process it runs in, among healthy ones that share its model, its batches and its process. */
import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { fleetOf, load, until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { poisonPair, writePoisonModel } from '../fixtures/poison-model.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, type InferRequest, int32Tensor } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, type Outcome, Sender } from '../fixtures/traffic/sender.ts';

const healthyPerSecond = 100;
const poisonings = 50;
const betweenMs = sized(100, 500);

const poison = divide(poisonPair.x, poisonPair.y);
const convictedText =
  /^\{"error":"this request ended the process of model 'poison' twice; the same body is refused for \d+ s\./;

describe('a request that ends its process', () => {
  for (const backends of [1, 2]) {
    test(`sent once and then ${poisonings} times among healthy ones on ${backends} backends fails alone, and crashes twice in all`, async (t) => {
      const { skein, sender } = await start(t, backends);
      const traffic = healthyTraffic(sender);
      await sleep(1_000);
      const crashesAtFirst = crashesOf(skein);
      const first = await sender.send(poison);
      const crashes = crashesOf(skein);
      // The router, its backends, and the process for suspects, started anew.
      const pids = await until('all processes are back', 30_000, () => {
        const running = pidsOf(skein);
        return running.length === backends + 2 ? running : undefined;
      });
      const repeated = await repeatedly(poisonings, () => sender.send(poison));
      await sleep(1_000);
      const healthy = await traffic.stop();

      showFigures(t, {
        healthy: healthy.length,
        'healthy failed': describeFailures(healthy) || 0,
        'longest healthy': milliseconds(longestMs(healthy)),
        'the first poisoned answered after': milliseconds(first.latencyMs),
        'longest refusal': milliseconds(longestMs(repeated)),
        'crashes by the first': crashes - crashesAtFirst,
        'crashes by the others': crashesOf(skein) - crashes,
      });
      assert.equal(describeFailures(healthy), '');
      for (const { status, problem } of [first, ...repeated]) {
        assert.ok(status >= 400 && status < 500, `status ${status}`);
        assert.match(problem ?? '', convictedText);
      }
      assert.equal(crashes - crashesAtFirst, 2, 'once among others, once alone');
      assert.equal(crashesOf(skein), crashes, 'none of the repeated ones reached a process');
      assert.deepEqual(pidsOf(skein), pids);
      assert.equal((await fleetOf(skein.http)).convictions, 1);
    });
  }

  test('comes in ever new bodies, and still only those fail while their model has a process to itself', async (t) => {
    const { skein, sender } = await start(t, 1);
    const traffic = healthyTraffic(sender);
    await sleep(1_000);
    const poisoned: Outcome[] = [];
    for (let i = 0; i < 6; i++) {
      poisoned.push(await sender.send(divide(poisonPair.x, poisonPair.y, i + 1)));
      await sleep(1_000);
    }
    const healthy = await traffic.stop();
    showFigures(t, {
      healthy: healthy.length,
      'longest healthy': milliseconds(longestMs(healthy)),
      'poisoned, answered after': poisoned.map(({ latencyMs }) => Math.round(latencyMs)).join('/'),
      crashes: crashesOf(skein),
    });
    assert.equal(describeFailures(healthy), '');
    for (const { problem } of poisoned) assert.match(problem ?? '', convictedText);
    const isolated = (await fleetOf(skein.http)).backends.filter(({ id }) => id.startsWith('isolated'));
    assert.equal(isolated.length, 1, 'a model that keeps crashing has a process of its own');
  });
});

async function start(t: TestContext, backends: number): Promise<{ skein: SkeinProcess; sender: Sender }> {
  const repository = temporaryDirectory(t);
  writePoisonModel(repository);
  writeManyModels(repository, 2, { kind: 'dense', sizeBytes: 2 ** 20 });
  const skein = await startSkein({ repository, args: ['--backends', String(backends)] });
  t.after(() => skein.kill());
  for (const model of ['poison', 'model_000', 'model_001']) await load(skein.http, model);
  const sender = new Sender(skein.http, checkQuotient);
  t.after(() => sender.close());
  return { skein, sender };
}

/** Half of it for the model of the poisoned requests, in bursts that it batches; half for its neighbours. */
function healthyTraffic(sender: Sender): OpenLoop {
  const neighbour = floatTensor('input', [1, 16]);
  return new OpenLoop(sender, healthyPerSecond, (i) =>
    i % 2 === 0 ? divide(3 * i, 3) : binaryRequest(`model_00${(i >> 1) % 2}`, [neighbour]),
  );
}

/** `others` makes another body of the same fault: rows of 1 / 1. */
function divide(x: number, y: number, others = 0): InferRequest {
  const shape = [1 + others, 1];
  const ones = Array.from({ length: others }, () => 1);
  return binaryRequest('poison', [int32Tensor('x', shape, [x, ...ones]), int32Tensor('y', shape, [y, ...ones])]);
}

function checkQuotient({ model, body: sent }: InferRequest, body: Buffer, headerLength: number): string | undefined {
  if (model !== 'poison') return undefined;
  const sentX = Buffer.from(sent.buffer, sent.byteOffset, sent.byteLength).readInt32LE(sent.byteLength - 8);
  const quotient = body.readInt32LE(headerLength);
  return quotient === sentX / 3 ? undefined : `${sentX} / 3 is not ${quotient}`;
}

async function repeatedly(count: number, send: () => Promise<Outcome>): Promise<Outcome[]> {
  const outcomes: Promise<Outcome>[] = [];
  for (let i = 0; i < count; i++) {
    outcomes.push(send());
    await sleep(betweenMs);
  }
  return Promise.all(outcomes);
}

function crashesOf(skein: SkeinProcess): number {
  return skein.log().split('"backend process ended').length - 1;
}

function pidsOf({ pid }: SkeinProcess): number[] {
  return processTree(pid).map((member) => member.pid);
}
