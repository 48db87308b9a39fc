import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Tensor } from 'onnxruntime-node';
import { writeCornerShapes, writeIdentityModels } from '../fixtures/identity-models.ts';
import { writeManyModels } from '../fixtures/many-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { mapInputModel, mapOutputModel, sequenceOutputModel } from '../fixtures/non-tensor-models.ts';
import { openSession, runOnce, type TensorMap, valuesOf } from '../fixtures/onnx-runtime.ts';
import { poisonPair, writePoisonModel } from '../fixtures/poison-model.ts';
import { slowByRequestModel, slowModel, slowToLoadModel } from '../fixtures/slow-models.ts';
import { qdqModel, qlinearModel, writeExternalDataModel, writeOrtModel } from '../fixtures/storage-models.ts';
import { writeTritonRepository } from '../fixtures/triton-models.ts';

const modelFile = (repository: string, name: string, version = 1) =>
  join(repository, name, String(version), 'model.onnx');
const row = (...values: number[]) => new Tensor('float32', values, [1, values.length]);

describe('writeTritonRepository', () => {
  test('writes the models of the recorded answers, each loadable but the broken one', async (t) => {
    const repository = temporaryDirectory(t);
    writeTritonRepository(repository);
    const names = readdirSync(repository);
    assert.equal(names.length, 27);
    for (const name of names.filter((candidate) => candidate !== 'bad_model')) {
      await (await openSession(modelFile(repository, name))).release();
    }
    await assert.rejects(openSession(modelFile(repository, 'bad_model')), /model/i);
  });

  test('adds and subtracts strings, and INT8 that wraps', async (t) => {
    const repository = temporaryDirectory(t);
    writeTritonRepository(repository);
    const answer = async (name: string, a: Tensor, b: Tensor) => {
      const outputs = await runOnce(modelFile(repository, name), { INPUT0: a, INPUT1: b });
      return [valuesOf(outputs, 'OUTPUT0').slice(0, 2), valuesOf(outputs, 'OUTPUT1').slice(0, 2)];
    };
    const strings = (value: string) => new Tensor('string', new Array<string>(16).fill(value), [1, 16]);
    const bytes = (value: number) => new Tensor('int8', new Int8Array(16).fill(value), [1, 16]);
    assert.deepEqual(await answer('simple_string', strings('41'), strings('-1')), [
      ['40', '40'],
      ['42', '42'],
    ]);
    assert.deepEqual(await answer('simple_int8', bytes(127), bytes(1)), [
      [-128, -128],
      [126, 126],
    ]);
  });

  test('gives labels to ten of sixteen classes', (t) => {
    const repository = temporaryDirectory(t);
    writeTritonRepository(repository);
    assert.match(
      readFileSync(join(repository, 'labels', 'config.pbtxt'), 'utf8'),
      /^output .* label_filename: "labels\.txt"/m,
    );
    assert.equal(
      readFileSync(join(repository, 'labels', 'labels.txt'), 'utf8')
        .trim()
        .split('\n').length,
      10,
    );
  });
});

describe('writeIdentityModels', () => {
  test('writes one model for each element type, and ONNX Runtime takes them all', async (t) => {
    const repository = temporaryDirectory(t);
    writeIdentityModels(repository);
    for (const name of readdirSync(repository)) {
      // The binding for Node knows no bfloat16, and says so after the library has loaded the model.
      if (name === 'id_bfloat16') await assert.rejects(openSession(modelFile(repository, name)), /data type: 16/);
      else await (await openSession(modelFile(repository, name))).release();
    }
  });
});

describe('writeCornerShapes', () => {
  test('writes a scalar and an always empty identity', async (t) => {
    const repository = temporaryDirectory(t);
    writeCornerShapes(repository);
    const scalar = await runOnce(modelFile(repository, 'scalar'), { INPUT0: new Tensor('float32', [7], []) });
    assert.deepEqual([scalar['OUTPUT0']?.dims, valuesOf(scalar, 'OUTPUT0')], [[], [7]]);
    const empty = await runOnce(modelFile(repository, 'always_empty'), { INPUT0: new Tensor('float32', [], [0]) });
    assert.deepEqual([empty['OUTPUT0']?.dims, valuesOf(empty, 'OUTPUT0')], [[0], []]);
  });
});

describe('writePoisonModel', () => {
  test('divides, and ends the process on one pair of values', async (t) => {
    const repository = temporaryDirectory(t);
    writePoisonModel(repository);
    const column = (...values: number[]) => new Tensor('int32', values, [values.length, 1]);
    const inputs = { x: column(8, -9, 0, 7), y: column(2, 3, 5, -1) };
    assert.deepEqual(valuesOf(await runOnce(modelFile(repository, 'poison'), inputs), 'quotient'), [4, -3, 0, -7]);

    for (const place of [0, 3, 7]) {
      // Eight healthy rows but one: wherever it stands, the process of that batch ends.
      const x = new Array<number>(8).fill(1).with(place, poisonPair.x);
      const y = new Array<number>(8).fill(1).with(place, poisonPair.y);
      // Only x86 traps; elsewhere the quotient wraps.
      const expected = process.arch === 'x64' ? 'SIGFPE' : null;
      assert.equal(signalOfRun(modelFile(repository, 'poison'), x, y), expected);
    }
  });
});

/** The signal that ends a process of its own that runs the division. */
function signalOfRun(file: string, x: readonly number[], y: readonly number[]): NodeJS.Signals | null {
  const script = `
    const { InferenceSession, Tensor } = require('onnxruntime-node');
    const [file, x, y] = process.argv.slice(1);
    const column = (text) => new Tensor('int32', JSON.parse(text), [JSON.parse(text).length, 1]);
    InferenceSession.create(file).then((session) => session.run({ x: column(x), y: column(y) }));`;
  const args = ['-e', script, file, JSON.stringify(x), JSON.stringify(y)];
  return spawnSync(process.execPath, args, { cwd: join(import.meta.dirname, '../..') }).signal;
}

describe('the slow models', () => {
  test('answer with their input after their work', async () => {
    assert.deepEqual(valuesOf(await runOnce(slowModel(1), { x: row(2.5) }), 'y'), [2.5]);
    const milliseconds = new Tensor('int64', BigInt64Array.of(2n), [1]);
    assert.deepEqual(valuesOf(await runOnce(slowByRequestModel(), { x: row(2.5), milliseconds }), 'y'), [2.5]);
    const sixteen = new Tensor('float32', new Float32Array(16).fill(3), [1, 16]);
    assert.deepEqual(valuesOf(await runOnce(slowToLoadModel(2), { x: sixteen }), 'y'), new Array(16).fill(3));
  });
});

describe('writeManyModels', () => {
  test('writes models of the asked size that tell which of them answered', async (t) => {
    const repository = temporaryDirectory(t);
    const names = writeManyModels(repository, 3, { kind: 'dense', sizeBytes: 1_000_000 });
    assert.deepEqual(names, ['model_000', 'model_001', 'model_002']);
    const input = new Tensor(
      'float32',
      Float32Array.from({ length: 32 }, (_, i) => Math.sin(i)),
      [2, 16],
    );
    for (const [i, name] of names.entries()) {
      assert.ok(Math.abs(readFileSync(modelFile(repository, name)).length - 1_000_000) < 10_000);
      assert.deepEqual(valuesOf(await runOnce(modelFile(repository, name), { input }), 'index'), [i, i]);
    }
  });

  test('writes MobileNetV2 where no size is asked for', async (t) => {
    const repository = temporaryDirectory(t);
    const [, name = ''] = writeManyModels(repository, 2);
    const input = new Tensor('float32', new Float32Array(3 * 224 * 224).fill(0.5), [1, 3, 224, 224]);
    const outputs = await runOnce(modelFile(repository, name), { input });
    assert.deepEqual([valuesOf(outputs, 'index'), outputs['output']?.dims], [[1], [1, 1000]]);
  });
});

describe('the storage models', () => {
  test('double their input from a second file, through quantised weights and from integers', async (t) => {
    const repository = temporaryDirectory(t);
    writeExternalDataModel(repository);
    const doubled = async (model: Buffer | string) => valuesOf(await runOnce(model, { x: row(1, -2, 0.5, 3) }), 'y');
    assert.deepEqual(await doubled(modelFile(repository, 'external_data')), [2, -4, 1, 6]);
    assert.deepEqual(await doubled(qdqModel()), [2, -4, 1, 6]);
    assert.deepEqual(await doubled(qlinearModel()), [2, -4, 1, 6]);
  });

  test("include a file of ONNX Runtime's own format", async (t) => {
    const repository = temporaryDirectory(t);
    writeOrtModel(repository);
    const x = new Tensor('int32', new Int32Array(16).fill(20), [1, 16]);
    const outputs: TensorMap = await runOnce(join(repository, 'ort_format', '1', 'model.ort'), {
      INPUT0: x,
      INPUT1: x,
    });
    assert.deepEqual(valuesOf(outputs, 'OUTPUT0'), new Array(16).fill(40));
  });
});

describe('the non-tensor models', () => {
  test('load, with an input or output that is no tensor', async () => {
    const tensors = async (model: Buffer) => {
      const session = await openSession(model);
      return [session.inputMetadata, session.outputMetadata].map((list) => list.map((value) => value.isTensor));
    };
    assert.deepEqual(await tensors(sequenceOutputModel()), [[true], [false]]);
    assert.deepEqual(await tensors(mapOutputModel()), [[true], [false]]);
    assert.deepEqual(await tensors(mapInputModel()), [[false], [true]]);
  });
});
