import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decideHold, type HoldLimits, type HoldView } from '../../../src/router/routing/hold.ts';

const limits: HoldLimits = { maxPerModel: 3, maxTotal: 5, maxHoldMs: 10_000 };
const view: HoldView = { heldForModel: 0, heldTotal: 0, readyAtMs: 2_000, runMs: 50 };

describe('decideHold', () => {
  // [what, changes of the view, deadline, answer]
  const rows: readonly [string, Partial<HoldView>, number, string][] = [
    ['holds what can make its deadline', {}, 3_000, 'hold until 3000'],
    ['holds no longer than the limit', {}, Infinity, 'hold until 11000'],
    ['refuses at once what cannot be answered in time, the run counted', {}, 2_040, 'model_loading after 1'],
    ['says when the model will be ready', { readyAtMs: 8_200 }, 5_000, 'model_loading after 8'],
    ['refuses what would be held too long', { readyAtMs: 15_000 }, Infinity, 'model_loading after 14'],
    ['holds while nothing is known of the load', { readyAtMs: undefined }, 1_500, 'hold until 1500'],
    ['holds while a load is late', { readyAtMs: 200 }, 1_500, 'hold until 1500'],
    ['refuses one too many for the model', { heldForModel: 3 }, 9_000, 'hold_full after 1'],
    ['refuses one too many in all', { heldTotal: 5, readyAtMs: 4_500 }, 9_000, 'hold_full after 4'],
    [
      'names the load before the bound, because waiting would not help',
      { heldTotal: 5 },
      1_500,
      'model_loading after 1',
    ],
  ];
  for (const [what, changes, deadlineMs, answer] of rows) {
    test(what, () => {
      const decision = decideHold({ ...view, ...changes }, deadlineMs, limits, 1_000);
      const said =
        decision.kind === 'hold'
          ? `hold until ${decision.untilMs}`
          : `${decision.code} after ${decision.retryAfterSeconds}`;
      assert.equal(said, answer);
    });
  }

  test('never holds beyond the deadline or the bounds, and never tells a client to come back before the model is ready', () => {
    const views = fc.record({
      heldForModel: fc.nat(6),
      heldTotal: fc.nat(8),
      readyAtMs: fc.option(fc.nat(40_000), { nil: undefined }),
      runMs: fc.nat(500),
    });
    fc.assert(
      fc.property(views, fc.nat(40_000), fc.nat(30_000), (seen, deadlineMs, nowMs) => {
        const decision = decideHold(seen, deadlineMs, limits, nowMs);
        if (decision.kind === 'hold') {
          assert.ok(
            decision.untilMs <= deadlineMs && decision.untilMs <= nowMs + limits.maxHoldMs && decision.untilMs >= nowMs,
          );
          assert.ok(seen.heldForModel < limits.maxPerModel && seen.heldTotal < limits.maxTotal);
        } else {
          assert.ok(Number.isInteger(decision.retryAfterSeconds) && decision.retryAfterSeconds >= 1);
          assert.ok(nowMs + 1_000 * decision.retryAfterSeconds >= (seen.readyAtMs ?? 0));
        }
      }),
    );
  });
});
