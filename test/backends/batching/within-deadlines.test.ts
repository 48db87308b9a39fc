import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BatchItem } from '../../../src/backends/batching/item.ts';
import { LatencyModel } from '../../../src/backends/batching/latency-model.ts';
import { withinDeadlines } from '../../../src/backends/batching/within-deadlines.ts';

/** A run of n rows takes `fixedMs + n * rowMs`. */
function latency(fixedMs: number, rowMs: number): LatencyModel {
  const model = new LatencyModel();
  for (let i = 0; i < 4; i++) for (const rows of [1, 8]) model.learn(rows, fixedMs + rows * rowMs);
  return model;
}

const item = (deadlineMs: number, rows = 1) => new BatchItem({ rows, key: 'k', deadlineMs });
const deadlines = (items: readonly BatchItem[]) => items.map(({ deadlineMs }) => deadlineMs);

describe('withinDeadlines', () => {
  test('leaves a run alone that nobody in it is too late for', () => {
    const items = [item(100), item(Infinity), item(50)];
    assert.deepEqual(withinDeadlines(items, 0, latency(5, 5)), items);
  });

  test('lets the one in a hurry go alone where the others have time to follow', () => {
    const found = withinDeadlines([item(12), item(100), item(100), item(100)], 0, latency(5, 5));
    assert.deepEqual(deadlines(found), [12]);
  });

  test('passes over those that a full run fails, where everybody is in a hurry', () => {
    // Full: 25 ms. One by one they would take 40, and the last would be late.
    const found = withinDeadlines([item(12), item(28), item(28), item(28)], 0, latency(5, 5));
    assert.deepEqual(deadlines(found), [28, 28, 28]);
  });

  test('takes the first where none can be in time', () => {
    assert.deepEqual(deadlines(withinDeadlines([item(3), item(4)], 0, latency(5, 5))), [3]);
  });

  test('never chooses nothing, and never fewer in time than the full run or the first alone would have', () => {
    const some = fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 1, max: 3 })), {
      minLength: 1,
      maxLength: 8,
    });
    fc.assert(
      fc.property(some, fc.nat(20), fc.integer({ min: 1, max: 8 }), (facts, fixedMs, rowMs) => {
        const model = latency(fixedMs, rowMs);
        const items = facts.map(([deadlineMs, rows]) => item(deadlineMs, rows));
        const inTime = (chosen: readonly BatchItem[]) => {
          const endMs = model.runMs(chosen.reduce((sum, { rows }) => sum + rows, 0));
          return chosen.filter(({ deadlineMs }) => deadlineMs >= endMs).length;
        };
        const chosen = withinDeadlines(items, 0, model);
        assert.ok(chosen.length > 0);
        assert.ok(chosen.every((one) => items.includes(one)));
        assert.ok(inTime(chosen) >= inTime(items.slice(0, 1)));
        const laterMs = model.runMs(chosen.reduce((sum, { rows }) => sum + rows, 0));
        // Of those that are left, whom a full run would have served follow together.
        const fullMs = model.runMs(items.reduce((sum, { rows }) => sum + rows, 0));
        const left = items.filter((one) => !chosen.includes(one) && one.deadlineMs >= fullMs);
        const leftMs = left.length === 0 ? 0 : model.runMs(left.reduce((sum, { rows }) => sum + rows, 0));
        const stillInTime = left.filter(({ deadlineMs }) => deadlineMs >= laterMs + leftMs).length;
        assert.ok(inTime(chosen) + stillInTime >= inTime(items) || inTime(chosen) >= inTime(items));
      }),
    );
  });
});
