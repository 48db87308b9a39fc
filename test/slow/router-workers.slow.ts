/** Several router processes behind one port: all serve, their figures are added, and one may die. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { load, until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { poisonPair, writePoisonModel } from '../fixtures/poison-model.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { closedLoop } from '../fixtures/traffic/closed-loop.ts';
import {
  binaryRequest,
  floatTensor,
  forModel,
  type InferRequest,
  int32Tensor,
} from '../fixtures/traffic/infer-request.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, failuresOf, Sender } from '../fixtures/traffic/sender.ts';

const modelCount = 6;
const requests = 2_000;
const connections = 64;
const perSecond = 100;
const body = binaryRequest('', [floatTensor('input', [1, 16])]);

describe('two router processes that share a port', () => {
  const repository = temporaryDirectory({ after });
  let skein: SkeinProcess;
  let models: readonly string[];

  after(() => skein?.kill());
  before(async () => {
    models = writeManyModels(repository, modelCount, { kind: 'dense', sizeBytes: 2 ** 18 });
    skein = await startSkein({ repository, args: ['--router-workers', '2'] });
    await until('both are there', 30_000, () => (routerPids(skein).length === 2 ? true : undefined));
    await bothServe(skein);
    for (const model of models) await load(skein.http, model);
  });

  test('both answer, and their counts are added up', async (t) => {
    const successBefore = await successes(skein);
    const cpuBefore = routerPids(skein).map(cpuTicks);
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const outcomes = await closedLoop(sender, connections, requestsOf(requests));
    const cpu = routerPids(skein).map((pid, i) => cpuTicks(pid) - cpuBefore[i]!);
    const counted = (await successes(skein)) - successBefore;
    showFigures(t, { requests: outcomes.length, counted, 'CPU of the routers in ticks': cpu.join('/') });
    assert.equal(describeFailures(outcomes), '');
    assert.equal(counted, requests);
    for (const ticks of cpu)
      assert.ok(ticks > 0.1 * (cpu[0]! + cpu[1]!), `one of them did next to nothing: ${cpu.join(', ')}`);
  });

  test('both go by a load or unload that came to one of them, and so does one that comes later', async (t) => {
    const [model] = models as [string];
    await repositoryCall(skein, model, 'unload');
    assert.deepEqual(await statusesOf(skein, model), [404], 'after the unload');
    await killWorker(skein);
    assert.deepEqual(await statusesOf(skein, model), [404], 'after the restart of a worker');
    for (let round = 0; round < 20; round++) {
      await repositoryCall(skein, model, 'load');
      assert.deepEqual(await statusesOf(skein, model), [200], `after load ${round}`);
      await repositoryCall(skein, model, 'unload');
      assert.deepEqual(await statusesOf(skein, model), [404], `after unload ${round}`);
    }
    const ownFile = readFileSync(`${repository}/${models[1]}/1/model.onnx`).toString('base64');
    const parameters = { config: '{}', 'file:1/model.onnx': ownFile };
    await repositoryCall(skein, 'uploaded', 'load', { parameters });
    assert.deepEqual(await statusesOf(skein, 'uploaded'), [200]);
    await repositoryCall(skein, model, 'load');
    showFigures(t, { rounds: 20, 'connections a look': looks });
  });

  test('a killed one is replaced; only what was under way on its own connections is lost', async (t) => {
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const traffic = new OpenLoop(sender, perSecond, (i) => forModel(models[i % models.length]!, body));
    await sleep(2_000);
    const killedMs = performance.now();
    await killWorker(skein);
    const servesMs = performance.now() - killedMs;
    await sleep(1_000);
    const outcomes = await traffic.stop();
    const failed = failuresOf(outcomes);
    showFigures(t, {
      requests: outcomes.length,
      'cut off': failed.length,
      'both serve again after': milliseconds(servesMs),
    });
    for (const { status, atMs, problem } of failed) {
      assert.equal(status, 0, `${problem}`);
      assert.ok(Math.abs(atMs - killedMs) < 500, `failed ${atMs - killedMs} ms after the kill: ${problem}`);
    }
    assert.ok(failed.length <= perSecond / 2, describeFailures(outcomes));
  });

  function* requestsOf(count: number): Generator<InferRequest> {
    for (let i = 0; i < count; i++) yield forModel(models[i % models.length]!, body);
  }
});

describe('two router processes that share a port, and a request that ends its process', () => {
  test('go by what one of them convicted, whichever it was, and so does one that comes later', async (t) => {
    const repository = temporaryDirectory(t);
    writePoisonModel(repository);
    const skein = await startSkein({ repository, args: ['--router-workers', '2'] });
    t.after(() => skein.kill());
    await bothServe(skein);
    await load(skein.http, 'poison');
    const [x, y] = [int32Tensor('x', [1, 1], [poisonPair.x]), int32Tensor('y', [1, 1], [poisonPair.y])];
    const poison = binaryRequest('poison', [x, y]);
    const crashes = () => skein.log().split('"backend process ended').length - 1;
    const sendOnItsOwn = async () => {
      const sender = new Sender(skein.http);
      const { status } = await sender.send(poison);
      await sender.close();
      return status;
    };
    assert.equal(await sendOnItsOwn(), 400);
    assert.equal(crashes(), 2);
    await sleep(500);
    for (let i = 0; i < looks; i++) assert.equal(await sendOnItsOwn(), 400);
    assert.equal(crashes(), 2, 'no other process had to find out');
    await killWorker(skein);
    for (let i = 0; i < looks; i++) assert.equal(await sendOnItsOwn(), 400);
    assert.equal(crashes(), 2, 'nor one that began later');
  });
});

/** The first one, which started all others, comes first. */
function routerPids({ pid }: SkeinProcess): number[] {
  const routers = processTree(pid).filter(
    ({ pid: one, commandLine }) => one === pid || commandLine.includes('router-worker'),
  );
  return routers.map((member) => member.pid);
}

/** Resolves when another one serves in its place. */
async function killWorker(skein: SkeinProcess): Promise<void> {
  const [, worker] = routerPids(skein) as [number, number];
  process.kill(worker, 'SIGKILL');
  await until('another one is there', 10_000, () => {
    const pids = routerPids(skein);
    return pids.length === 2 && !pids.includes(worker) ? true : undefined;
  });
  await bothServe(skein);
}

async function bothServe(skein: SkeinProcess): Promise<void> {
  await until('both serve', 30_000, async () => ((await answering(skein)) === 2 ? true : undefined), 200);
}

/** How many routers new connections come to, told apart by when they started. */
async function answering({ http }: SkeinProcess): Promise<number> {
  const starts = await Promise.all(
    Array.from({ length: 24 }, async () => {
      const agent = new Agent();
      const { body: answer } = await request(`${http}/fleet`, { dispatcher: agent });
      const { uptimeMs } = (await answer.json()) as { uptimeMs: number };
      await agent.close();
      return performance.now() - uptimeMs;
    }),
  );
  starts.sort((a, b) => a - b);
  return starts.filter((startMs, i) => i === 0 || startMs - starts[i - 1]! > 200).length;
}

const looks = 12;

/** On a connection of its own, which the kernel gives to either process. */
async function onItsOwn(url: string, text: string): Promise<number> {
  const agent = new Agent();
  const headers = { 'content-type': 'application/json' };
  const { statusCode, body: answer } = await request(url, { method: 'POST', headers, body: text, dispatcher: agent });
  await answer.dump();
  await agent.close();
  return statusCode;
}

async function repositoryCall({ http }: SkeinProcess, model: string, verb: string, said: object = {}): Promise<void> {
  const status = await onItsOwn(`${http}/v2/repository/models/${model}/${verb}`, JSON.stringify(said));
  assert.equal(status, 200, `${verb} of ${model}`);
}

/** Different answers to inferences over a dozen connections. */
async function statusesOf({ http }: SkeinProcess, model: string): Promise<number[]> {
  const input = { name: 'input', datatype: 'FP32', shape: [1, 16], data: Array(16).fill(0) };
  const text = JSON.stringify({ inputs: [input] });
  const statuses = Array.from({ length: looks }, () => onItsOwn(`${http}/v2/models/${model}/infer`, text));
  return [...new Set(await Promise.all(statuses))];
}

async function successes({ metrics }: SkeinProcess): Promise<number> {
  const text = await (await fetch(`${metrics}/metrics`)).text();
  return [...text.matchAll(/^nv_inference_request_success\{.*\} (\d+)/gm)].reduce(
    (sum, [, value]) => sum + Number(value),
    0,
  );
}

/** User and system time of a process, in hundredths of a second. */
function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return Number(fields[11]) + Number(fields[12]);
}
