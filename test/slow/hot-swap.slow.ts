/** A repository that changes under steady traffic: new versions, replaced files, broken ones, removed ones. */
import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { GraphBuilder } from '../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../examples/models/onnx-writer/model.ts';
import { floats } from '../../examples/models/onnx-writer/tensor.ts';
import { WeightStream } from '../../examples/models/weights.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { load, modelOf, until } from '../fixtures/fleet-client.ts';
import { temporaryDirectory, writeModelFolder } from '../fixtures/model-folder.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { binaryRequest, floatTensor, type InferRequest } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, Sender } from '../fixtures/traffic/sender.ts';

const perSecond = 50;
/** The repository is looked at twice a second, and a change must have lasted for one second. */
const noticedMs = 20_000;

interface Answer {
  readonly atMs: number;
  readonly constant: number;
}

describe('a model whose files change under traffic', () => {
  const repository = temporaryDirectory({ after });
  let skein: SkeinProcess;

  after(() => skein?.kill());
  before(async () => {
    writeModelFolder(repository, 'changing', { versions: { 1: adding(1) } });
    writeModelFolder(repository, 'other', { versions: { 1: adding(100) } });
    skein = await startSkein({ repository, args: ['--repository-poll', '500ms'] });
    for (const model of ['changing', 'other']) await load(skein.http, model);
  });

  const fileOf = (version: number) => join(repository, 'changing', String(version), 'model.onnx');

  test('goes from one to the next without a failed request, and frees the old ones', async (t) => {
    const traffic = startTraffic(t, skein);
    await seen(traffic, 1);
    const steps: [what: string, constant: number, change: () => void][] = [
      ['a new version, renamed into place', 2, () => renameVersion(repository, 2, adding(2))],
      ['a file overwritten in place', 3, () => writeFileSync(fileOf(2), adding(3))],
      ['a file replaced by another', 4, () => replaceFile(fileOf(2), adding(4))],
      ['a version written slowly', 5, () => void writeSlowly(fileOf(3), adding(5))],
      ['the newest version removed', 4, () => rmSync(join(repository, 'changing', '3'), { recursive: true })],
    ];
    const took: string[] = [];
    for (const [what, constant, change] of steps) {
      const startMs = performance.now();
      change();
      const switchedMs = await seen(traffic, constant);
      took.push(`${what} ${milliseconds(switchedMs - startMs)}`);
      await until(`only one copy is left after ${what}`, 10_000, async () => {
        const { copies } = await modelOf(skein.http, 'changing');
        return copies.length === 1 && copies[0]!.phase === 'ready' ? true : undefined;
      });
    }
    const outcomes = await traffic.loop.stop();
    showFigures(t, {
      requests: outcomes.length,
      failed: describeFailures(outcomes) || 0,
      longest: milliseconds(longestMs(outcomes)),
      'from the change to the first new answer': took.join('; '),
    });
    assert.equal(describeFailures(outcomes), '');
    assert.deepEqual(order(traffic.answers), [1, 2, 3, 4, 5, 4], 'each was switched to once, and none came back');
  });

  test('goes on serving what it has while its new files do not load, and takes them once they do', async (t) => {
    const traffic = startTraffic(t, skein);
    await seen(traffic, 4);
    const whole = adding(6);
    renameVersion(repository, 4, whole.subarray(0, whole.length / 2));
    await until('the broken version is told of', noticedMs, () => (/do not load/.test(skein.log()) ? true : undefined));
    await sleep(1_000);
    const broken = order(traffic.answers);
    writeFileSync(fileOf(4), whole);
    await seen(traffic, 6);
    const outcomes = await traffic.loop.stop();
    showFigures(t, {
      requests: outcomes.length,
      failed: describeFailures(outcomes) || 0,
      longest: milliseconds(longestMs(outcomes)),
    });
    assert.equal(describeFailures(outcomes), '');
    assert.deepEqual(broken, [4]);
    assert.deepEqual(order(traffic.answers), [4, 6]);
  });

  test('is not served any more once it is removed, and again when it is back; its neighbour notices nothing', async (t) => {
    const sender = new Sender(skein.http);
    t.after(() => sender.close());
    const neighbour = new OpenLoop(sender, perSecond, () => requestFor('other'));
    renameSync(join(repository, 'changing'), join(repository, '..', 'away'));
    t.after(() => rmSync(join(repository, '..', 'away'), { recursive: true, force: true }));
    const gone = await until('it is gone', noticedMs, async () => {
      const outcome = await sender.send(requestFor('changing'));
      return outcome.status === 404 ? outcome : undefined;
    });
    assert.match(gone.problem ?? '', /Request for unknown model: 'changing' is not found/);
    renameSync(join(repository, '..', 'away'), join(repository, 'changing'));
    await until('it is back', noticedMs, async () =>
      (await sender.send(requestFor('changing'))).status === 200 ? true : undefined,
    );
    assert.equal(describeFailures(await neighbour.stop()), '');
  });
});

/** x FP32 [N,1] to y = x + `constant`; slow to load, because a product of matrices must be folded first. */
function adding(constant: number): Buffer {
  const graph = new GraphBuilder('adding');
  const x = graph.input('x', 'float', ['N', 1]);
  const side = 256;
  const factor = graph.constant(new WeightStream(constant).uniform([side, side], Math.sqrt(3 / side)));
  let product = factor;
  for (let i = 0; i < 200; i++) product = graph.node('MatMul', [product, factor]);
  const nothing = graph.node('Mul', [
    graph.node('ReduceMean', [product], { keepdims: 0 }),
    graph.constant(floats([], [0])),
  ]);
  const sum = graph.node('Add', [x, graph.constant(floats([1], [constant]))]);
  graph.node('Add', [sum, nothing], {}, { outputs: ['y'] });
  graph.output('y', 'float', ['N', 1]);
  return encodeModel(graph);
}

function requestFor(model: string): InferRequest {
  return binaryRequest(model, [floatTensor('x', [1, 1], () => 0)]);
}

function startTraffic(t: TestContext, skein: SkeinProcess): { loop: OpenLoop; answers: Answer[] } {
  const answers: Answer[] = [];
  const sender = new Sender(skein.http, (_request, body, headerLength) => {
    answers.push({ atMs: performance.now(), constant: body.readFloatLE(headerLength) });
    return undefined;
  });
  t.after(() => sender.close());
  return { loop: new OpenLoop(sender, perSecond, () => requestFor('changing')), answers };
}

/** When the first answer with this constant came. */
async function seen({ answers }: { answers: readonly Answer[] }, constant: number): Promise<number> {
  return until(`answers of ${constant}`, noticedMs, () => {
    const last = answers.at(-1);
    return last?.constant === constant ? last.atMs : undefined;
  });
}

/** The constants without their repetitions; two copies may take turns for the moment of the switch. */
function order(answers: readonly Answer[]): number[] {
  return answers.map(({ constant }) => constant).filter((constant, i, all) => i === 0 || constant !== all[i - 1]);
}

function renameVersion(repository: string, version: number, model: Uint8Array): void {
  const staging = join(repository, '..', `skein-staging-${process.pid}`);
  mkdirSync(staging);
  writeFileSync(join(staging, 'model.onnx'), model);
  renameSync(staging, join(repository, 'changing', String(version)));
}

function replaceFile(file: string, model: Uint8Array): void {
  writeFileSync(`${file}.new`, model);
  renameSync(`${file}.new`, file);
}

async function writeSlowly(file: string, model: Uint8Array): Promise<void> {
  mkdirSync(join(file, '..'));
  const step = Math.ceil(model.length / 8);
  for (let at = 0; at < model.length; at += step) {
    writeFileSync(file, model.subarray(at, at + step), { flag: 'a' });
    await sleep(400);
  }
}
