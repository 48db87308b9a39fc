import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MonotonicTotals } from '../../../src/router/metrics/monotonic-totals.ts';

test('MonotonicTotals shows what it sees while that only grows', () => {
  const totals = new MonotonicTotals();
  assert.deepEqual(totals.values, []);
  totals.update([1, 5]);
  totals.update([3, 5]);
  assert.deepEqual(totals.values, [3, 5]);
});

test('MonotonicTotals never falls, and never counts anything twice', () => {
  // Copies come with nothing and go with what they counted; in between the sum over them is looked at.
  const step = fc.record({ counted: fc.nat(50), evicted: fc.boolean() });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const totals = new MonotonicTotals();
      let [seen, truth, shown] = [0, 0, 0];
      for (const { counted, evicted } of steps) {
        if (evicted) seen = 0;
        seen += counted;
        truth += counted;
        totals.update([seen]);
        assert.ok(totals.values[0]! >= shown && totals.values[0]! <= truth);
        shown = totals.values[0]!;
      }
    }),
  );
});

test('MonotonicTotals loses nothing that it saw before an eviction was seen', () => {
  const totals = new MonotonicTotals();
  for (const seen of [100, 0, 7, 0, 3]) totals.update([seen]);
  assert.deepEqual(totals.values, [110]);
});
