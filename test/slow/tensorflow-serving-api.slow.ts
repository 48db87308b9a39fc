/**
 * TensorFlow Serving's own Python client, unmodified, against Skein (tensorflow_serving_api_suite.py does the asking, in a
 * virtual environment that is made once), and the curl lines of TensorFlow Serving's documentation.
 */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { GraphBuilder } from '../../examples/models/onnx-writer/graph-builder.ts';
import { encodeModel } from '../../examples/models/onnx-writer/model.ts';
import { floats } from '../../examples/models/onnx-writer/tensor.ts';
import { runOptions, sessionConfig } from '../../src/backends/engines/tensorflow/session-config.ts';
import { writeCornerShapes, writeIdentityModels } from '../fixtures/identity-models.ts';
import { temporaryDirectory, writeModelFolder } from '../fixtures/model-folder.ts';
import { writeHalfPlusTwo, writeMultiSignatureSavedModel, writeSlowSavedModel } from '../fixtures/saved-models.ts';
import { type SkeinProcess, startSkein } from '../fixtures/skein-process.ts';

const root = join(import.meta.dirname, '../..');
const requirements = join(import.meta.dirname, 'tensorflow-serving-api-requirements.txt');
const run = promisify(execFile);

/** x to x * factor + summand, in rows. */
function linear(factor: number, summand: number): Buffer {
  const graph = new GraphBuilder('linear');
  const scaled = graph.node('Mul', [graph.input('x', 'float', ['N']), graph.constant(floats([], [factor]))]);
  graph.node('Add', [scaled, graph.constant(floats([], [summand]))], {}, { outputs: ['y'] });
  graph.output('y', 'float', ['N']);
  return encodeModel(graph);
}

/** What came in as scores. */
function scores(): Buffer {
  const graph = new GraphBuilder('scores');
  graph.node('Identity', [graph.input('x', 'float', ['N', 2])], {}, { outputs: ['scores'] });
  graph.output('scores', 'float', ['N', 2]);
  return encodeModel(graph);
}

/** A repository in Triton's layout, and models of a list in TensorFlow Serving's. */
function writeModels(directory: string): void {
  const [repository, listed] = [join(directory, 'repository'), join(directory, 'listed')];
  writeIdentityModels(repository);
  writeCornerShapes(repository);
  writeModelFolder(repository, 'broken', { versions: { 1: Buffer.alloc(64) } });
  writeModelFolder(repository, 'half_plus_two', { versions: { 123: linear(0.5, 2) } });
  writeModelFolder(repository, 'scores', { versions: { 1: scores() }, config: scoresConfig });
  writeFileSync(join(repository, 'scores', 'labels.txt'), 'up\ndown');
  const versions = { '00000001': linear(1, 1), '2': linear(1, 2) };
  for (const [name, bytes] of Object.entries(versions)) {
    mkdirSync(join(listed, 'versions', name), { recursive: true });
    writeFileSync(join(listed, 'versions', name, 'model.onnx'), bytes);
  }
  writeHalfPlusTwo(join(listed, 'half_plus_two_saved', '00000123'));
  writeMultiSignatureSavedModel(join(listed, 'multi', '1'));
  writeSlowSavedModel(join(listed, 'slow', '1'));
  const saved = ['half_plus_two_saved', 'multi', 'slow'].map(
    (name) => `config { name: '${name}' base_path: '${join(listed, name)}' model_platform: 'tensorflow' }`,
  );
  writeFileSync(
    join(directory, 'models.config'),
    `model_config_list { config {
      name: 'versions'
      base_path: '${join(listed, 'versions')}'
      model_platform: 'tensorflow'
      model_version_policy { all {} }
      version_labels { key: 'stable' value: 1 }
      version_labels { key: 'canary' value: 2 }
    } ${saved.join('\n')} }`,
  );
}

const scoresConfig = `max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 2 ] } ]
output [ { name: "scores" data_type: TYPE_FP32 dims: [ 2 ] label_filename: "labels.txt" } ]
`;

describe("TensorFlow Serving's clients", () => {
  let skein: SkeinProcess;
  let python: string;

  after(() => skein?.kill());
  const directory = temporaryDirectory({ after });
  before(async () => {
    python = pythonWithClient();
    writeModels(directory);
    const args = ['--model-config-file', join(directory, 'models.config')];
    const env = { SKEIN_TENSORFLOW_LIB: libraryOf(python) };
    skein = await startSkein({ repository: join(directory, 'repository'), args, env });
  });

  const curl = async (...args: string[]) => (await run('curl', ['-sS', ...args])).stdout;

  for (const model of ['half_plus_two', 'half_plus_two_saved']) {
    test(`curl asks ${model} as TensorFlow Serving’s documentation has it`, async () => {
      await asDocumented(model);
    });
  }

  async function asDocumented(model: string): Promise<void> {
    const predict = `${skein.http}/v1/models/${model}:predict`;
    assert.equal(
      await curl('-d', '{"instances": [1.0, 2.0, 5.0]}', '-X', 'POST', predict),
      '{\n    "predictions": [2.5, 3.0, 4.5\n    ]\n}',
    );
    const status = JSON.parse(await curl(`${skein.http}/v1/models/${model}`));
    assert.deepEqual(status, {
      model_version_status: [{ version: '123', state: 'AVAILABLE', status: { error_code: 'OK', error_message: '' } }],
    });
    const regress = await curl('-d', '{"examples": [{"x": 1.0}, {"x": 2.0}]}', predict.replace('predict', 'regress'));
    assert.equal(regress, '{\n    "results": [2.5, 3.0]\n}');
    const missing = await curl('-i', '-d', '{"instances": [1.0,5.0]}', '-X', 'POST', predict.replace(model, 'half'));
    assert.match(missing, /^HTTP\/1\.1 404 Not Found\r\nContent-Type: application\/json\r\n/);
    assert.match(missing, /\{\n {4}"error": "Servable not found for request: Latest\(half\)"\n\}$/);
    const metadata = JSON.parse(await curl(`${skein.http}/v1/models/${model}/metadata`));
    assert.deepEqual(Object.keys(metadata.metadata.signature_def.signature_def), ['serving_default']);
  }

  test('curl asks a SavedModel in shapes that its signature does not have, and is told what the graph has, and calls them', async () => {
    const url = `${skein.http}/v1/models/half_plus_two_saved`;
    const ask = async (body: string) => JSON.parse(await curl('-d', body, `${url}:predict`));
    assert.deepEqual(await ask('{"instances": [[1.0, 2.0], [3.0, 4.0]]}'), {
      predictions: [
        [2.5, 3],
        [3.5, 4],
      ],
    });
    assert.deepEqual(await ask('{"instances": [{"x": 1.0}, {"x": 2.0}]}'), { predictions: [2.5, 3] });
    assert.deepEqual(await ask('{"inputs": 3.0}'), { outputs: 3.5 });
    const { metadata } = JSON.parse(await curl(`${url}/metadata`));
    const { inputs, outputs } = metadata.signature_def.signature_def.serving_default;
    assert.deepEqual([inputs.x.name, outputs.y.name], ['x:0', 'y:0']);
    assert.deepEqual(
      inputs.x.tensor_shape.dim.map(({ size }: { size: string }) => size),
      ['-1', '1'],
    );
  });

  test('curl asks for versions by number and by label', async () => {
    const ask = async (path: string) =>
      JSON.parse(await curl('-d', '{"instances": [1]}', `${skein.http}/v1/models/${path}`));
    assert.deepEqual(await ask('versions/versions/1:predict'), { predictions: [2] });
    assert.deepEqual(await ask('versions/labels/stable:predict'), { predictions: [2] });
    assert.deepEqual(await ask('versions/labels/canary:predict'), { predictions: [3] });
    assert.deepEqual(await ask('versions:predict'), { predictions: [3] });
    assert.deepEqual(await ask('versions/labels/none:predict'), { error: 'Unrecognized servable version label: none' });
  });

  test('curl asks for signatures of a SavedModel', async () => {
    const ask = async (method: string, body: object) =>
      JSON.parse(await curl('-d', JSON.stringify(body), `${skein.http}/v1/models/multi:${method}`));
    assert.deepEqual(await ask('predict', { instances: [1, 2] }), { predictions: [2.5, 3] });
    assert.deepEqual(await ask('predict', { signature_name: 'add_three', inputs: [1, 2] }), { outputs: [3.5, 4] });
    const texts = { signature_name: 'strings', instances: [{ left: 'a', right: { b64: 'Yg==' } }] };
    assert.deepEqual(await ask('predict', texts), { predictions: ['a b'] });
    const regress = { signature_name: 'regress_x_to_y', examples: [{ inputs: 1 }, { inputs: 3 }] };
    assert.deepEqual(await ask('regress', regress), {
      error: "Name: <unknown>, Key: inputs, Index: 0.  Data types don't match. Expected type: float",
    });
    const reals = JSON.stringify(regress).replace('{"inputs":1}', '{"inputs":1.0}').replace(':3}', ':3.0}');
    assert.deepEqual(JSON.parse(await curl('-d', reals, `${skein.http}/v1/models/multi:regress`)), {
      results: [2.5, 3.5],
    });
    assert.deepEqual(await ask('predict', { signature_name: 'none', instances: [1] }), {
      error: 'Serving signature name: "none" not found in signature def',
    });
  });

  test('the Python client does all it can do', async (t) => {
    const suite = join(import.meta.dirname, 'tensorflow_serving_api_suite.py');
    const { stdout, stderr } = await run(
      python,
      [suite, new URL(skein.grpc!).host, directory, JSON.stringify(configs)],
      {
        maxBuffer: 16 * 2 ** 20,
      },
    ).catch((failed: { stdout: string; stderr: string }) => failed);
    const results: { test: string; failure: string | null }[] = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    for (const { test: name, failure } of results) {
      await t.test(name, () => assert.equal(failure, null, failure ?? ''));
    }
    assert.ok(results.length >= 24, `only ${results.length} tests ran: ${stderr.slice(-2_000)}`);
  });
});

/** Settings of devices, and the messages that the engine makes of them. */
const configs = [
  { intraOpThreads: 1, visibleGpus: '', gpuGrowth: true, gpuMemoryBytes: 0 },
  { intraOpThreads: 4, visibleGpus: '0,2', gpuGrowth: false, gpuMemoryBytes: 0 },
  { intraOpThreads: 2, visibleGpus: '1', gpuGrowth: true, gpuMemoryBytes: 3 * 2 ** 30 },
].map((devices) => {
  return { devices, config: sessionConfig(devices).toString('hex'), run: runOptions().toString('hex') };
});

/** Where the wheel of TensorFlow has its libraries. */
function libraryOf(python: string): string {
  const script = "import sysconfig; print(sysconfig.get_paths()['platlib'])";
  return join(execFileSync(python, ['-c', script], { encoding: 'utf8' }).trim(), 'tensorflow');
}

/** The interpreter of a virtual environment with the client in it, made when the requirements are new. */
function pythonWithClient(): string {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12);
  const environment = join(root, '.skein/test-cache', `tensorflow-serving-api-${digest}`);
  const interpreter = join(environment, 'bin', 'python');
  if (existsSync(join(environment, 'complete'))) return interpreter;
  rmSync(environment, { recursive: true, force: true }); // what an interrupted run left
  mkdirSync(join(environment, '..'), { recursive: true });
  const pip = (...args: string[]) =>
    execFileSync(interpreter, ['-m', 'pip', 'install', '--quiet', ...args], { stdio: ['ignore', 'ignore', 'inherit'] });
  execFileSync('python3', ['-m', 'venv', environment], { stdio: 'inherit' });
  pip('--requirement', requirements);
  pip('--no-deps', 'tensorflow-serving-api==2.21.0');
  const marker = join(environment, 'complete');
  writeFileSync(`${marker}.coming`, '');
  renameSync(`${marker}.coming`, marker);
  return interpreter;
}
