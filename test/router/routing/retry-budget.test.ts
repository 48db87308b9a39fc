import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { RetryBudget } from '../../../src/router/routing/retry-budget.ts';

describe('RetryBudget', () => {
  test('never allows more than its share of requests, its floor and what was saved', () => {
    const steps = fc.array(fc.record({ passMs: fc.nat(500), requests: fc.nat(20), retries: fc.nat(20) }), {
      maxLength: 40,
    });
    fc.assert(
      fc.property(
        steps,
        fc.constantFrom(0, 0.1, 0.5),
        fc.nat(5),
        fc.integer({ min: 1, max: 10 }),
        (script, ratio, floorPerSecond, burst) => {
          const budget = new RetryBudget({ ratio, floorPerSecond, burst }, 0);
          let nowMs = 0;
          let requests = 0;
          let retries = 0;
          for (const step of script) {
            nowMs += step.passMs;
            for (let at = 0; at < step.requests; at++) budget.earn();
            requests += step.requests;
            for (let at = 0; at < step.retries; at++) retries += Number(budget.spend(nowMs));
            assert.ok(retries <= burst + ratio * requests + (floorPerSecond * nowMs) / 1000 + 1e-6);
          }
        },
      ),
    );
  });

  test('allows a fifth of the load when everything fails', () => {
    const budget = new RetryBudget({ ratio: 0.2, floorPerSecond: 0, burst: 10 }, 0);
    let retries = 0;
    for (let request = 0; request < 1_000; request++) {
      budget.earn();
      retries += Number(budget.spend(request));
    }
    assert.ok(retries >= 200 && retries <= 210, String(retries));
  });

  test('allows the floor to a router with hardly a request', () => {
    const budget = new RetryBudget({ ratio: 0.2, floorPerSecond: 2, burst: 1 }, 0);
    assert.deepEqual(
      [0, 100, 499, 500, 1_000].map((nowMs) => budget.spend(nowMs)),
      [true, false, false, true, true],
    );
  });

  test('saves up no more than its burst', () => {
    const budget = new RetryBudget({ ratio: 1, floorPerSecond: 1, burst: 2 }, 0);
    for (let request = 0; request < 100; request++) budget.earn();
    assert.deepEqual(
      [90_000, 90_000, 90_000].map((nowMs) => budget.spend(nowMs)),
      [true, true, false],
    );
  });

  test('gives nothing for a clock that goes back', () => {
    const budget = new RetryBudget({ ratio: 0, floorPerSecond: 1, burst: 1 }, 5_000);
    assert.deepEqual(
      [5_000, 0, 5_000, 5_900, 6_000].map((nowMs) => budget.spend(nowMs)),
      [true, false, false, false, true],
    );
  });
});
