import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LatencyHistogram } from '../../../src/cli/bench/latency-histogram.ts';

const latencies = fc.array(fc.double({ min: 0, max: 4e8, noNaN: true }), { minLength: 1, maxLength: 500 });

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

/** Nearest rank, over the values themselves. */
function exactPercentile(values: readonly number[], percent: number): number {
  const ascending = values.toSorted((a, b) => a - b);
  return ascending[Math.max(1, Math.ceil((percent / 100) * ascending.length)) - 1]!;
}

describe('LatencyHistogram', () => {
  test('knows a percentile to 0.2 % or a tick of 0.1 us, and never below', () => {
    fc.assert(
      fc.property(latencies, fc.constantFrom(0, 1, 25, 50, 90, 99, 99.9, 100), (values, percent) => {
        const exact = exactPercentile(values, percent);
        const told = histogramOf(values).percentileUs(percent);
        assert.ok(told >= exact, `${told} is below ${exact}`);
        assert.ok(told <= exact * (1 + 1 / 512) + 0.1, `${told} is far from ${exact}`);
      }),
    );
  });

  test('keeps count, mean, least and largest exactly', () => {
    const histogram = histogramOf([3, 1.5, 700_000]);
    assert.deepEqual(
      [histogram.count, histogram.meanUs, histogram.minUs, histogram.maxUs],
      [3, 700_004.5 / 3, 1.5, 700_000],
    );
    assert.equal(histogram.percentileUs(100), 700_000);
  });

  test('takes what is longer than seven minutes, whose maximum stays exact', () => {
    const histogram = histogramOf([1e12, 10]);
    assert.equal(histogram.maxUs, 1e12);
    assert.ok(histogram.percentileUs(100) > 4e8);
  });

  test('of nothing is 0', () => {
    const empty = new LatencyHistogram();
    assert.deepEqual([empty.count, empty.meanUs, empty.minUs, empty.maxUs, empty.percentileUs(99)], [0, 0, 0, 0, 0]);
  });

  test('adds another one as if it had recorded the values itself', () => {
    fc.assert(
      fc.property(latencies, latencies, (some, others) => {
        const added = histogramOf(some);
        added.add(histogramOf(others));
        const whole = histogramOf([...some, ...others]);
        for (const percent of [50, 99, 100]) assert.equal(added.percentileUs(percent), whole.percentileUs(percent));
        assert.deepEqual([added.count, added.maxUs, added.minUs], [whole.count, whole.maxUs, whole.minUs]);
      }),
    );
  });
});
