import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readDescription } from '../../../src/adapters/v2/read-description.ts';

const metadata = {
  name: 'm',
  versions: ['1'],
  platform: 'onnxruntime_onnx',
  inputs: [
    { name: 'x', datatype: 'FP32', shape: [-1, 4] },
    { name: 'mask', datatype: 'BOOL', shape: [-1, 1] },
  ],
  outputs: [{ name: 'y', datatype: 'BYTES', shape: [-1] }],
};

describe('readDescription', () => {
  test('joins metadata and configuration', () => {
    const config = {
      max_batch_size: 8,
      input: [{ name: 'x' }, { name: 'mask', optional: true }],
      extra: { kept: true },
    };
    const { signature, ...rest } = readDescription('b', metadata, config);
    assert.deepEqual(rest, { platform: 'onnxruntime_onnx', maxBatchSize: 8, config });
    assert.deepEqual(signature.inputs, [metadata.inputs[0], { ...metadata.inputs[1], optional: true }]);
    assert.deepEqual(signature.outputs, metadata.outputs);
  });

  test('does without a configuration, and without tensors', () => {
    const described = readDescription('b', { name: 'm' }, undefined);
    assert.deepEqual(described, {
      platform: '',
      signature: { inputs: [], outputs: [] },
      maxBatchSize: 0,
      config: null,
    });
  });

  test('refuses what is no metadata, naming what is wrong', () => {
    const tensor = (fields: object) => ({ inputs: [fields], outputs: [] });
    const cases: [unknown, RegExp][] = [
      ['text', /not an object/],
      [[], /not an object/],
      [tensor({ datatype: 'FP32', shape: [] }), /no name/],
      [tensor({ name: 'x', datatype: 'FP8', shape: [] }), /'x' has the datatype "FP8"/],
      [tensor({ name: 'x', datatype: 'FP32', shape: ['n'] }), /'x' has the shape \["n"\]/],
    ];
    for (const [given, said] of cases) {
      assert.throws(() => readDescription('b', given, undefined), { code: 'reply_malformed', message: said });
    }
  });
});
