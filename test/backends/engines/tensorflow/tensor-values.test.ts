import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createInput } from '../../../../src/backends/engines/tensorflow/tensor-values.ts';
import type { TensorflowApi } from '../../../../src/backends/engines/tensorflow/tensorflow-api.ts';
import { tensor } from '../test-tensors.ts';

/** A fake that must not be asked: the real one would end the process. */
const untouched = new Proxy({} as TensorflowApi, {
  get: () => assert.fail('TensorFlow was asked for it'),
});

const sizes: [title: string, shape: number[]][] = [
  ['multiply beyond what TensorFlow counts, though there is nothing of them', [2 ** 52, 2 ** 52, 0]],
  ['are more than TensorFlow has dimensions', Array.from({ length: 255 }, () => 0)],
];
for (const [title, shape] of sizes) {
  test(`An input is refused whose sizes ${title}`, () => {
    assert.throws(() => createInput(untouched, tensor('x', 'FP32', shape, new Uint8Array(0))), /shape.*does not take/);
  });
}
