import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { VirtualClock } from '../../src/simulation/virtual-clock.ts';

describe('VirtualClock', () => {
  test('lets events happen in the order of time, and of adding where that is the same', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
        const clock = new VirtualClock();
        const happened: [number, number][] = [];
        times.forEach((atMs, order) => {
          clock.at(atMs, () => happened.push([clock.nowMs, order]));
        });
        clock.run();
        const expected = times.map((atMs, order): [number, number] => [atMs, order]);
        assert.deepEqual(
          happened,
          expected.sort(([a, m], [b, n]) => a - b || m - n),
        );
      }),
    );
  });

  test('goes on with what events add, never back, until it is told that it is over', () => {
    const clock = new VirtualClock();
    const seen: number[] = [];
    const again = () => {
      seen.push(clock.nowMs);
      clock.at(0, () => {}); // the past is now
      clock.after(10, again);
    };
    clock.at(5, again);
    clock.run(() => seen.length === 4);
    assert.deepEqual(seen, [5, 15, 25, 35]);
  });
});
