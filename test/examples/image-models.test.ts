import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Tensor } from 'onnxruntime-node';
import { mobileNetV2 } from '../../examples/models/mobilenet-v2.ts';
import { encodeModel } from '../../examples/models/onnx-writer/model.ts';
import { resNet50 } from '../../examples/models/resnet-50.ts';
import { writeBenchModels } from '../../examples/models/write-bench-models.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';
import { runOnce, valuesOf } from '../fixtures/onnx-runtime.ts';

async function classify(model: Buffer, frequency: number): Promise<number[]> {
  const pixels = Float32Array.from({ length: 3 * 224 * 224 }, (_, i) => Math.sin(i * frequency));
  const outputs = await runOnce(model, { input: new Tensor('float32', pixels, [1, 3, 224, 224]) });
  return valuesOf(outputs, 'output').map(Number);
}

function standardDeviation(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
}

describe('mobileNetV2', () => {
  test('has 14 MB and answers with numbers of a classifier that depend on the picture', async () => {
    const model = encodeModel(mobileNetV2());
    assert.equal(Math.round(model.length / 1e6), 14);
    const [one, other] = [await classify(model, 0.37), await classify(model, 0.011)];
    assert.equal(one.length, 1000);
    assert.ok(standardDeviation(one) > 0.1 && standardDeviation(one) < 10, `${standardDeviation(one)}`);
    assert.notDeepEqual(one, other);
  });

  test('is the same for a seed and another for another', () => {
    assert.ok(encodeModel(mobileNetV2({ seed: 3 })).equals(encodeModel(mobileNetV2({ seed: 3 }))));
    assert.ok(!encodeModel(mobileNetV2({ seed: 3 })).equals(encodeModel(mobileNetV2({ seed: 4 }))));
  });
});

describe('resNet50', () => {
  test('has 102 MB and answers with numbers of a classifier', async () => {
    const model = encodeModel(resNet50());
    assert.equal(Math.round(model.length / 1e6), 102);
    const output = await classify(model, 0.37);
    assert.ok(standardDeviation(output) > 0.1 && standardDeviation(output) < 10, `${standardDeviation(output)}`);
  });
});

describe('writeBenchModels', () => {
  test('writes the asked models with their configuration', (t) => {
    const repository = temporaryDirectory(t);
    writeBenchModels(repository, ['identity']);
    assert.ok(existsSync(join(repository, 'identity', '1', 'model.onnx')));
    assert.ok(existsSync(join(repository, 'identity', 'config.pbtxt')));
    assert.ok(!existsSync(join(repository, 'mobilenet')));
  });
});
