import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readOnnxParameters } from '../../../src/fleet/repository/onnx-parameters.ts';

describe('readOnnxParameters', () => {
  test('gives the threads of a run, and none where 0 leaves them to the backend', () => {
    assert.deepEqual(readOnnxParameters({ intra_op_thread_count: '3' }, 'm'), { threads: 3, warnings: [] });
    assert.deepEqual(readOnnxParameters({ intra_op_thread_count: '0' }, 'm'), { warnings: [] });
  });

  test('warns of keys that only tune and of keys that nobody knows', () => {
    const { warnings } = readOnnxParameters(
      { execution_mode: '1', enable_mem_arena: '0', constructor: 'x', my_key: 'x' },
      'm',
    );
    assert.deepEqual(
      warnings.map(({ field }) => field),
      ['parameters[execution_mode]', 'parameters[enable_mem_arena]', 'parameters[constructor]', 'parameters[my_key]'],
    );
    assert.deepEqual(
      warnings.slice(2).map(({ reason }) => reason),
      Array(2).fill('no engine knows this parameter'),
    );
  });

  for (const value of ['-1', 'two', '', '1025', '99999', '1.5']) {
    test(`refuses '${value}' for a number of threads`, () => {
      assert.throws(() => readOnnxParameters({ intra_op_thread_count: value }, 'm'), {
        code: 'config_mismatch',
        message: `parameter 'intra_op_thread_count' of model 'm' is a number of threads from 0 to 1024, got '${value}'`,
      });
    });
  }
});
