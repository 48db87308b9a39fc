import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { serverTimesBetween } from '../../../src/cli/bench/server-times.ts';
import type { StatisticsBody } from '../../../src/protocol/v2/statistics.ts';

function statistics(requests: number, runs: number, ns: number): StatisticsBody {
  const total = { count: requests, ns };
  const inference_stats = {
    success: total,
    fail: total,
    queue: total,
    compute_input: total,
    compute_infer: { count: requests, ns: 2 * ns },
    compute_output: total,
    cache_hit: total,
    cache_miss: total,
  };
  const model = {
    name: 'm',
    version: '1',
    last_inference: 0,
    inference_count: 2 * requests,
    execution_count: runs,
    inference_stats,
    response_stats: {},
    batch_stats: [],
    memory_usage: [],
  };
  return { model_stats: [model, model] };
}

describe('serverTimesBetween', () => {
  test('divides what came between by the requests that came between, over all versions', () => {
    assert.deepEqual(serverTimesBetween(statistics(10, 5, 1_000), statistics(110, 30, 201_000)), {
      queueUs: 2,
      computeInputUs: 2,
      computeInferUs: 4,
      computeOutputUs: 2,
      meanBatch: 8,
    });
  });

  test('says nothing where nothing was counted, or a copy began anew', () => {
    assert.equal(serverTimesBetween(statistics(10, 5, 1), statistics(10, 5, 1)), undefined);
    assert.equal(serverTimesBetween(statistics(10, 5, 1), statistics(2, 1, 1)), undefined);
  });
});
