/** What goes wrong around a server: a full disk, a state directory that cannot be used, models that are none. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { addSub } from '../../examples/models/add-sub.ts';
import { encodeModel } from '../../examples/models/onnx-writer/model.ts';
import { milliseconds, showFigures } from '../fixtures/figures.ts';
import { load, until } from '../fixtures/fleet-client.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory, writeModelFolder } from '../fixtures/model-folder.ts';
import { processTree } from '../fixtures/process-tree.ts';
import { seededRandom } from '../fixtures/random.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { binaryRequest, floatTensor, forModel, int32Tensor } from '../fixtures/traffic/infer-request.ts';
import { longestMs } from '../fixtures/traffic/latency.ts';
import { OpenLoop } from '../fixtures/traffic/open-loop.ts';
import { describeFailures, type Outcome, Sender } from '../fixtures/traffic/sender.ts';
import { mutated } from './bad-input/mutate.ts';

const root = join(import.meta.dirname, '../..');
const row = binaryRequest('', [floatTensor('input', [1, 16])]);
const pair = binaryRequest('', [
  int32Tensor('INPUT0', [1, 16], Array(16).fill(3)),
  int32Tensor('INPUT1', [1, 16], Array(16).fill(4)),
]);
const damagedModels = sized(60, 600);

describe('A server in trouble', () => {
  test('loads and answers without its cache where the disk is full', async (t) => {
    const repository = temporaryDirectory(t);
    const models = writeManyModels(repository, 4, { kind: 'dense', sizeBytes: 14_000_000 });
    const skein = await startSkein({ repository, program: join(import.meta.dirname, 'trouble/on-small-disk.mjs') });
    t.after(() => skein.kill());
    const outcomes = await askAll(t, skein, [...models, ...models]);
    assert.equal(describeFailures(outcomes), '');
    const told = skein
      .log()
      .split('\n')
      .filter((line) => line.includes('"optimised graph not cached"'));
    showFigures(t, { models: models.length, 'told of the disk': told.length });
    assert.ok(told.length >= 1 && told.every((line) => /space|ENOSPC|write/i.test(line)), told.join('\n'));
    assert.equal(await skein.stop(), 0);
  });

  test('loads and answers without its cache where its directory is no directory', async (t) => {
    const repository = temporaryDirectory(t);
    const models = writeManyModels(repository, 1, { kind: 'dense', sizeBytes: 1_000_000 });
    const state = temporaryDirectory(t);
    writeFileSync(join(state, 'graphs'), 'a file');
    const skein = await startSkein({ repository, args: ['--state', state] });
    t.after(() => skein.kill());
    assert.equal(describeFailures(await askAll(t, skein, models)), '');
    assert.match(skein.log(), /optimised graph not cached/);
  });

  test('says which directory it cannot use, and does not start', async (t) => {
    const repository = temporaryDirectory(t);
    writeFileSync(join(repository, 'file'), '');
    const state = join(repository, 'file', 'state');
    const { code, stderr } = await run([
      'serve',
      '--models',
      repository,
      '--state',
      state,
      '--http',
      '0',
      '--metrics',
      '0',
    ]);
    assert.notEqual(code, 0);
    assert.ok(stderr.includes(state), stderr);
    assert.doesNotMatch(stderr, /\n\s+at /, 'a stack trace is no message');
  });

  test('says which repository it cannot read, and does not start', async (t) => {
    const missing = join(temporaryDirectory(t), 'missing');
    const { code, stderr } = await run(['serve', '--models', missing, '--http', '0', '--metrics', '0']);
    assert.notEqual(code, 0);
    assert.match(stderr, /model repository '.*missing' cannot be read/);
    assert.doesNotMatch(stderr, /\n\s+at /);
  });

  test('refuses broken models by name and goes on with the others', async (t) => {
    const repository = temporaryDirectory(t);
    const [healthy] = writeManyModels(repository, 1, { kind: 'dense', sizeBytes: 1_000_000 }) as [string];
    const broken = writeBroken(repository);
    const skein = await startSkein({ repository });
    t.after(() => skein.kill());
    await load(skein.http, healthy);
    const { neighbours, pids } = startNeighbours(t, skein, healthy);
    const asked = await askAll(t, skein, broken);
    const outcomes = await neighbours.stop();
    const wrong = asked.filter(
      ({ status, problem, model }) => status < 400 || status >= 500 || !(problem ?? '').includes(model),
    );
    showFigures(t, {
      broken: broken.length,
      'longest refusal': milliseconds(longestMs(asked)),
      neighbours: outcomes.length,
    });
    assert.deepEqual(
      wrong.map(({ model, status, problem }) => ({ model, status, problem })),
      [],
    );
    assert.equal(describeFailures(outcomes), '');
    assert.deepEqual(
      processTree(skein.pid).map(({ pid }) => pid),
      pids,
    );
  });

  test(`answers for ${damagedModels} models that were damaged at random, and its other models notice nothing`, async (t) => {
    const repository = temporaryDirectory(t);
    const [healthy] = writeManyModels(repository, 1, { kind: 'dense', sizeBytes: 1_000_000 }) as [string];
    const random = seededRandom(3);
    const good = encodeModel(addSub());
    const damaged = Array.from({ length: damagedModels }, (_, i) => {
      writeModelFolder(repository, `damaged_${i}`, { versions: { 1: mutated(good, random) } });
      return `damaged_${i}`;
    });
    const skein = await startSkein({ repository });
    t.after(() => skein.kill());
    await load(skein.http, healthy);
    const { neighbours } = startNeighbours(t, skein, healthy);
    const asked = await askAll(t, skein, damaged, pair);
    const outcomes = await neighbours.stop();
    const count = (of: (status: number) => boolean) => asked.filter(({ status }) => of(status)).length;
    showFigures(t, {
      damaged: damaged.length,
      'answered all the same': count((status) => status === 200),
      refused: count((status) => status >= 400 && status < 500),
      'processes that ended': skein.log().split('"backend process ended').length - 1,
      'longest of the neighbours': milliseconds(longestMs(outcomes)),
    });
    const wrong = asked.filter(({ status, problem }) => status === 0 || status >= 500 || (status !== 200 && !problem));
    assert.deepEqual(
      wrong.map(({ model, status, problem }) => ({ model, status, problem })),
      [],
    );
    assert.equal(describeFailures(outcomes), '');
  });

  test('keeps what is loaded while its repository is away, and loads the rest when it is back', async (t) => {
    const parent = temporaryDirectory(t);
    const [repository, away] = [join(parent, 'models'), join(parent, 'away')];
    mkdirSync(repository);
    const [loaded, idle] = writeManyModels(repository, 2, { kind: 'dense', sizeBytes: 1_000_000 }) as [string, string];
    const skein = await startSkein({ repository, args: ['--repository-poll', '500ms'] });
    t.after(() => skein.kill());
    await load(skein.http, loaded);
    const { neighbours, sender } = startNeighbours(t, skein, loaded);
    renameSync(repository, away);
    await sleep(3_000);
    const meanwhile = await sender.send(forModel(idle, row));
    assert.ok(
      meanwhile.status >= 400 && meanwhile.status <= 503 && meanwhile.status !== 500,
      `${meanwhile.status} ${meanwhile.problem}`,
    );
    assert.ok((meanwhile.problem ?? '').includes(idle), meanwhile.problem);
    assert.match(skein.log(), /cannot be read/);
    renameSync(away, repository);
    const backMs = performance.now();
    await until(
      'the idle one loads',
      15_000,
      async () => ((await sender.send(forModel(idle, row))).status === 200 ? true : undefined),
      200,
    );
    showFigures(t, {
      'loads again after': milliseconds(performance.now() - backMs),
      'said meanwhile': JSON.stringify(meanwhile.problem),
    });
    assert.equal(describeFailures(await neighbours.stop()), '');
  });
});

async function askAll(t: TestContext, skein: SkeinProcess, models: readonly string[], body = row): Promise<Outcome[]> {
  const sender = new Sender(skein.http);
  t.after(() => sender.close());
  const outcomes: Outcome[] = [];
  for (const model of models) outcomes.push(await sender.send(forModel(model, body)));
  return outcomes;
}

function startNeighbours(t: TestContext, skein: SkeinProcess, model: string) {
  const sender = new Sender(skein.http);
  t.after(() => sender.close());
  const pids = processTree(skein.pid).map(({ pid }) => pid);
  return { sender, pids, neighbours: new OpenLoop(sender, 50, () => forModel(model, row)) };
}

function run(args: readonly string[]): Promise<{ code: number; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [join(root, 'skein'), ...args], { timeout: 20_000 }, (fault, _stdout, stderr) => {
      resolve({ code: typeof fault?.code === 'number' ? fault.code : fault === null ? 0 : -1, stderr });
    });
  });
}

/** Models that never load, each in its own way. Returns their names. */
function writeBroken(repository: string): string[] {
  const good = encodeModel(addSub());
  const random = seededRandom(1);
  const kinds: Record<string, () => void> = {
    empty: () => writeModelFolder(repository, 'empty', { versions: { 1: new Uint8Array(0) } }),
    cut: () => writeModelFolder(repository, 'cut', { versions: { 1: good.subarray(0, good.length / 2) } }),
    random: () =>
      writeModelFolder(repository, 'random', {
        versions: { 1: Uint8Array.from({ length: 5_000 }, () => random() * 256) },
      }),
    zeros: () => writeModelFolder(repository, 'zeros', { versions: { 1: new Uint8Array(5_000) } }),
    text: () => writeModelFolder(repository, 'text', { versions: { 1: Buffer.from('<html>404</html>') } }),
    no_file: () => writeModelFolder(repository, 'no_file', { versions: { 1: { 'notes.txt': Buffer.from('soon') } } }),
    a_directory: () => mkdirSync(join(repository, 'a_directory', '1', 'model.onnx'), { recursive: true }),
    no_version: () => writeModelFolder(repository, 'no_version', { config: 'backend: "onnxruntime"\n', versions: {} }),
    bad_config: () =>
      writeModelFolder(repository, 'bad_config', { config: 'max_batch_size: "four" {{\n', versions: { 1: good } }),
    other_inputs: () =>
      writeModelFolder(repository, 'other_inputs', {
        config: 'backend: "onnxruntime"\ninput [ { name: "nowhere" data_type: TYPE_FP32 dims: [ 16 ] } ]\n',
        versions: { 1: good },
      }),
    ort_cut: () =>
      writeModelFolder(repository, 'ort_cut', {
        config: 'backend: "onnxruntime"\ndefault_model_filename: "model.ort"\n',
        versions: { 1: { 'model.ort': Buffer.from('ORTM and no more') } },
      }),
  };
  for (const write of Object.values(kinds)) write();
  return Object.keys(kinds);
}
