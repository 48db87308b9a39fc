/**
 * The suite of the engine on libraries of other versions: the oldest that is published as a library of its own, and with
 * SKEIN_FULL=1 several up to the newest, which tensorflow-engine.slow.ts runs on. One that is older than those is refused.
 */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { promisify } from 'node:util';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { savedModelPath, writeHalfPlusTwo } from '../fixtures/saved-models.ts';
import { startSkein } from '../fixtures/skein-process.ts';
import { sized } from '../fixtures/suite-size.ts';
import { tensorflowEnvironment, tensorflowOf } from '../fixtures/tensorflow-library.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const tooOld = '2.7.0';
/** Old versions are published as libraries of their own on Maven Central alone. */
const skip = spawnSync('mvn', ['--version']).error === undefined ? false : 'mvn is not on the PATH';

describe('the TensorFlow engine', { skip }, () => {
  for (const version of sized(['2.10.1'], ['2.9.1', '2.10.1', '2.12.0', '2.15.1', '2.18.1', '2.20.0'])) {
    test(`does on ${version} what it does on the newest`, async () => {
      const env = { ...process.env, ...tensorflowEnvironment(version), TF_CPP_MIN_LOG_LEVEL: '3' };
      const suite = join(import.meta.dirname, 'tensorflow-engine.slow.ts');
      delete (env as Record<string, string>)['NODE_TEST_CONTEXT']; // it is to report for itself
      const { stdout } = await run(process.execPath, ['--expose-gc', '--test', suite], {
        env,
        maxBuffer: 16 * 2 ** 20,
      });
      assert.match(stdout, /^ℹ fail 0$/m);
      assert.ok(Number(/^ℹ pass (\d+)$/m.exec(stdout)?.[1]) >= 36, stdout.slice(-2_000));
    });
  }
});

describe(`TensorFlow ${tooOld}`, { skip }, () => {
  const reason =
    /TensorFlow cannot be used: '.*libtensorflow_cc\.so\.2' is version 2\.7\.0; 2\.9 or newer of 2 is needed/;

  test('is refused with its version where a SavedModel is asked for, and ONNX models are served', async (t) => {
    const repository = temporaryDirectory(t);
    writeBenchModels(repository, ['identity']);
    writeHalfPlusTwo(savedModelPath(repository, 'half_plus_two'));
    const skein = await startSkein({ repository, env: { SKEIN_TENSORFLOW_LIB: tensorflowOf(tooOld) } });
    t.after(() => skein.kill());
    const ask = async (path: string, body: unknown) => {
      const answer = await fetch(`${skein.http}${path}`, { method: 'POST', body: JSON.stringify(body) });
      return { status: answer.status, text: await answer.text() };
    };
    const x = { name: 'x', shape: [1, 1], datatype: 'FP32', data: [1] };
    const refused = await ask('/v2/models/half_plus_two/infer', { inputs: [x] });
    assert.equal(refused.status, 503);
    assert.match(refused.text, reason);
    assert.match((await ask('/v1/models/half_plus_two:predict', { instances: [1] })).text, reason);
    const input = { name: 'input', shape: [1, 16], datatype: 'FP32', data: Array(16).fill(1) };
    assert.equal((await ask('/v2/models/identity/infer', { inputs: [input] })).status, 200);
  });

  test('is named by skein engines, with what to do', async () => {
    const { stdout } = await run(join(root, 'skein'), ['engines', '--tensorflow-lib', tensorflowOf(tooOld)]);
    assert.match(stdout, /^onnx: ONNX Runtime 1/);
    assert.match(stdout, reason);
    assert.match(stdout, /pip install tensorflow-cpu/);
  });
});
