import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultTable } from './fault-table.ts';
import { scheduleOf } from './schedule.ts';

describe('the schedule', () => {
  test('is the same for the same seed, and another one for another', () => {
    assert.deepEqual(scheduleOf(faultTable, 7, 10), scheduleOf(faultTable, 7, 10));
    assert.notDeepEqual(scheduleOf(faultTable, 7, 10), scheduleOf(faultTable, 8, 10));
  });

  test('has every kind before it has one twice', () => {
    const kinds = scheduleOf(faultTable, 3, 60).map(({ kind }) => kind);
    assert.ok(kinds.length > 2 * faultTable.length);
    assert.equal(new Set(kinds.slice(0, faultTable.length)).size, faultTable.length);
  });

  test('keeps to the minutes, and each fault to its bounds', () => {
    for (const minutes of [1, 10]) {
      const planned = scheduleOf(faultTable, 1, minutes);
      const heldMs = planned.reduce((sum, { calmMs, holdMs }) => sum + calmMs + holdMs, 0);
      assert.ok(planned.length > 3 && heldMs < minutes * 60_000, `${planned.length} faults in ${heldMs} ms`);
      for (const { kind, holdMs } of planned) {
        const [, most] = faultTable.find((fault) => fault.kind === kind)!.holdMs;
        assert.ok(holdMs <= most, `${kind} for ${holdMs} ms`);
      }
    }
  });
});
