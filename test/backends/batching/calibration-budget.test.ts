import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CalibrationBudget } from '../../../src/backends/batching/calibration-budget.ts';

describe('CalibrationBudget', () => {
  test('never spends more than a hundredth of the cores, and what it saved', () => {
    const step = fc.record({ waitMs: fc.nat(5_000), ms: fc.integer({ min: 1, max: 400 }) });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 16 }), fc.array(step, { maxLength: 100 }), (cores, steps) => {
        const budget = new CalibrationBudget(cores, 0);
        let nowMs = 0;
        let spentMs = 0;
        for (const { waitMs, ms } of steps) {
          nowMs += waitMs;
          if (!budget.allows(ms, Infinity, 0, nowMs)) continue;
          budget.spend(ms);
          spentMs += ms * cores;
          nowMs += ms;
          assert.ok(spentMs <= 0.01 * cores * nowMs + 1e-6, `${spentMs} ms of ${nowMs}`);
        }
      }),
    );
  });

  test('calibrates no model for more than a quarter of what its requests took', () => {
    const budget = new CalibrationBudget(1, 0);
    const laterMs = 1e6;
    assert.equal(budget.allows(100, 399, 0, laterMs), false);
    assert.equal(budget.allows(100, 400, 0, laterMs), true);
    assert.equal(budget.allows(100, 400, 1, laterMs), false);
  });

  test('saves no more than two seconds for later', () => {
    const budget = new CalibrationBudget(1, 0);
    assert.equal(budget.allows(2_001, Infinity, 0, 1e9), false);
    assert.equal(budget.allows(2_000, Infinity, 0, 1e9), true);
  });
});
