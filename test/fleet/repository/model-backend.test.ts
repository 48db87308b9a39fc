import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { engineOf, modelBackend } from '../../../src/fleet/repository/model-backend.ts';
import { modelFileNames } from '../../../src/fleet/repository/model-files.ts';
import { parseModelConfig } from '../../../src/fleet/repository/parse-model-config.ts';

const config = (text: string) => parseModelConfig(text, 'm').config;

describe('modelFileNames', () => {
  test('looks for every kind of model where the configuration names none', () => {
    assert.deepEqual(modelFileNames(config('')).slice(0, 3), ['model.onnx', 'model.ort', 'model.savedmodel']);
  });

  test('looks for what the platform or backend reads', () => {
    assert.deepEqual(modelFileNames(config('platform: "onnxruntime_onnx"')), ['model.onnx', 'model.ort']);
    assert.deepEqual(modelFileNames(config('backend: "tensorflow"')), [
      'model.savedmodel',
      'saved_model.pb',
      'model.graphdef',
    ]);
    assert.deepEqual(modelFileNames(config('backend: "mine"')), ['model.mine']);
  });

  test('looks for the configured file alone', () => {
    assert.deepEqual(modelFileNames(config('default_model_filename: "net.onnx"')), ['net.onnx']);
  });
});

describe('modelBackend', () => {
  test('knows the backend by the file where the configuration names none', () => {
    for (const [file, backend, platform] of [
      ['model.onnx', 'onnxruntime', 'onnxruntime_onnx'],
      ['model.ort', 'onnxruntime', 'onnxruntime_onnx'],
      ['resnet.onnx', 'onnxruntime', 'onnxruntime_onnx'],
      ['model.savedmodel', 'tensorflow', 'tensorflow_savedmodel'],
      ['saved_model.pb', 'tensorflow', 'tensorflow_savedmodel'],
      ['model.graphdef', 'tensorflow', 'tensorflow_graphdef'],
      ['model.py', 'python', ''],
    ] as const) {
      const row = modelBackend(config(''), file);
      assert.deepEqual([row.backend, row.platform], [backend, platform], file);
    }
  });
});

describe('engineOf', () => {
  test('gives the engine that runs a model', () => {
    assert.equal(engineOf(config(''), 'model.onnx', ['onnx']), 'onnx');
    assert.equal(engineOf(config('backend: "echo"'), 'model.echo', ['onnx', 'echo']), 'echo');
  });

  test('refuses a model of a backend that is not run here, and says what to do', () => {
    assert.throws(() => engineOf(config('backend: "python"'), 'model.py', ['onnx']), {
      code: 'config_mismatch',
      message: /model 'm' is for the backend 'python' \(model\.py\).*declare a Triton server/,
    });
    assert.throws(() => engineOf(config(''), 'model.savedmodel', ['onnx']), /tensorflow_savedmodel/);
  });
});
