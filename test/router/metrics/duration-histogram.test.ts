import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { DurationHistogram, durationBounds } from '../../../src/router/metrics/duration-histogram.ts';

test('DurationHistogram counts each duration once, below the first bound that is not smaller', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 100, noNaN: true })), (durations) => {
      const histogram = new DurationHistogram();
      for (const seconds of durations) histogram.observe(seconds);
      assert.equal(histogram.count, durations.length);
      durationBounds.forEach((bound, i) => {
        const below = histogram.counts.slice(0, i + 1).reduce((sum, count) => sum + count, 0);
        assert.equal(below, durations.filter((seconds) => seconds <= bound).length);
      });
    }),
  );
});
