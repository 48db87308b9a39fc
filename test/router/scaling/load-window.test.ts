import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { LoadWindow } from '../../../src/router/scaling/load-window.ts';

const ticks = fc.array(
  fc.record({
    load: fc.integer({ min: 0, max: 100 }),
    arrivals: fc.integer({ min: 0, max: 50 }),
    afterMs: fc.integer({ min: 1, max: 4_000 }),
  }),
  { minLength: 1, maxLength: 60 },
);

describe('LoadWindow', () => {
  test('gives means between the least and the most that its buckets hold', () => {
    fc.assert(
      fc.property(ticks, (sequence) => {
        const window = new LoadWindow(10_000, 10, 1);
        const kept: { bucket: number; load: number; arrivals: number; spanMs: number }[] = [];
        let nowMs = 0;
        for (const { load, arrivals, afterMs } of sequence) {
          nowMs += afterMs;
          window.record(load, arrivals, afterMs, nowMs);
          kept.push({ bucket: Math.floor(nowMs / 1_000), load, arrivals, spanMs: afterMs });
          const inside = kept.filter(({ bucket }) => bucket > Math.floor(nowMs / 1_000) - 10);
          const spanMs = inside.reduce((sum, tick) => sum + tick.spanMs, 0);
          const means = window.means(nowMs);
          assert.equal(means.spanMs, spanMs);
          const expected = inside.reduce((sum, tick) => sum + tick.load * tick.spanMs, 0) / spanMs;
          assert.ok(Math.abs(means.load - expected) < 1e-6);
          const came = inside.reduce((sum, tick) => sum + tick.arrivals, 0);
          assert.ok(Math.abs(means.perSecond - (1_000 * came) / spanMs) < 1e-6);
        }
      }),
    );
  });

  test('forgets what is older than the window', () => {
    const window = new LoadWindow(1_000, 4, 100);
    window.record(8, 100, 250, 250);
    assert.equal(window.means(900).load, 8);
    assert.deepEqual(window.means(5_000), { load: 0, perSecond: 0, spanMs: 0 });
  });
});
