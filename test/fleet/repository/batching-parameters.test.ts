import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseBatchingParameters } from '../../../src/fleet/repository/batching-parameters.ts';

const parse = (text: string) => parseBatchingParameters(text, 'batching');

describe('parseBatchingParameters', () => {
  test('reads the file of the documentation of TensorFlow Serving', () => {
    const { parameters, notices } = parse(`
      max_batch_size { value: 128 }
      batch_timeout_micros { value: 0 }
      max_enqueued_batches { value: 1000000 }
      num_batch_threads { value: 8 }`);
    assert.deepEqual(parameters, {
      maxBatchSize: 128,
      batchTimeoutUs: 0,
      maxEnqueuedBatches: 1_000_000,
      allowedBatchSizes: [],
      maxExecutionBatchSize: undefined,
      padsLengths: false,
    });
    assert.match(notices.join(), /num_batch_threads.*has no effect/);
  });

  test('has the defaults of TensorFlow Serving', () => {
    const { maxBatchSize, batchTimeoutUs, maxEnqueuedBatches } = parse('').parameters;
    assert.deepEqual([maxBatchSize, batchTimeoutUs, maxEnqueuedBatches], [1000, 0, 10]);
  });

  test('reads allowed sizes one by one or as a list', () => {
    const given = parse('max_batch_size { value: 8 } allowed_batch_sizes: 2 allowed_batch_sizes: [4, 8]');
    assert.deepEqual(given.parameters.allowedBatchSizes, [2, 4, 8]);
  });

  test('reads what is padded and what is split', () => {
    const { parameters, notices } = parse(`
      max_batch_size { value: 100 }
      enable_large_batch_splitting { value: true }
      max_execution_batch_size { value: 10 }
      allowed_batch_sizes: [5, 10]
      pad_variable_length_inputs: true`);
    const { maxBatchSize, maxExecutionBatchSize, padsLengths } = parameters;
    assert.deepEqual([maxBatchSize, maxExecutionBatchSize, padsLengths], [100, 10, true]);
    assert.deepEqual(notices, []);
    const whole = parse('max_batch_size { value: 100 } enable_large_batch_splitting { value: true }');
    assert.equal(whole.parameters.maxExecutionBatchSize, 100);
    // Without splitting it says nothing.
    assert.equal(parse('max_execution_batch_size { value: 10 }').parameters.maxExecutionBatchSize, undefined);
  });

  const refusals: [text: string, error: RegExp][] = [
    ['max_batch_size { value: 4 } allowed_batch_sizes: [4, 2]', /must be monotonically increasing/],
    [
      'max_batch_size { value: 4 } allowed_batch_sizes: [2, 8]',
      /must match max_batch_size; last entry was 8; expected 4/,
    ],
    [
      'max_batch_size { value: 8 } enable_large_batch_splitting { value: true } max_execution_batch_size { value: 16 }',
      /at most max_batch_size; was 16, and max_batch_size 8/,
    ],
    [
      'enable_large_batch_splitting { value: true } max_execution_batch_size { value: 16 } allowed_batch_sizes: [8, 1000]',
      /must be equal to max_execution_batch_size; last entry was 1000; expected 16/,
    ],
    ['max_batch_size { value: 0 }', /at least 1; was 0/],
    ['max_batch_size: 4', /max_batch_size is a message/],
    ['max_batch { value: 4 }', /has no field "max_batch"/],
  ];
  for (const [text, error] of refusals) {
    test(`refuses ${text}`, () => assert.throws(() => parse(text), error));
  }
});
