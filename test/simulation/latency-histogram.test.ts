import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LatencyHistogram } from '../../src/simulation/latency-histogram.ts';

test('LatencyHistogram knows quantiles to 2 %, and the longest exactly', () => {
  const times = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 200 });
  fc.assert(
    fc.property(times, fc.constantFrom(0.01, 0.5, 0.9, 0.99, 1), (values, share) => {
      const histogram = new LatencyHistogram();
      for (const ms of values) histogram.add(ms);
      const ascending = values.toSorted((a, b) => a - b);
      const exact = ascending[Math.ceil(share * values.length) - 1]!;
      const read = histogram.quantileMs(share);
      assert.ok(read >= exact * 0.9999 && read <= exact * 1.0201, `${read} for ${exact}`);
      assert.equal(histogram.maxMs, ascending.at(-1));
      assert.equal(histogram.count, values.length);
    }),
  );
  assert.equal(new LatencyHistogram().quantileMs(0.5), 0);
});
