import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { reloadCostMs } from '../../../src/backends/memory/reload-cost.ts';

const times = fc.double({ min: 1, max: 1e5, noNaN: true });

describe('reloadCostMs', () => {
  test('takes what is within a factor of two of the usual for chance', () => {
    for (const took of [50, 70, 100, 150, 200]) assert.equal(reloadCostMs(took, 100), 100);
  });

  test('believes what lies beyond, less that factor', () => {
    assert.equal(reloadCostMs(1_000, 100), 500);
    assert.equal(reloadCostMs(10, 100), 20);
  });

  test('rises with what the load took, without steps, and stays between that and the usual', () => {
    fc.assert(
      fc.property(times, times, times, (took, longer, usual) => {
        const cost = reloadCostMs(took, usual);
        assert.ok(cost >= Math.min(took, usual) && cost <= Math.max(took, usual));
        if (longer >= took) assert.ok(reloadCostMs(longer, usual) >= cost);
      }),
    );
  });

  test('is never below a millisecond', () => {
    assert.equal(reloadCostMs(0, 0), 1);
  });
});
