import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CacheIndex } from '../../../src/fleet/sources/cache-index.ts';

describe('CacheIndex', () => {
  test('gives up the least recently used first, and only as many as it takes', () => {
    const index = new CacheIndex(100);
    for (const key of ['a', 'b', 'c']) index.put(key, 30);
    index.hold('a');
    index.release('a');
    assert.deepEqual(index.fit(10), []);
    assert.deepEqual(index.fit(11), ['b']);
    assert.deepEqual(index.fit(50), ['b', 'c']);
  });

  test('never gives up what is held, and says so where nothing else would do', () => {
    const index = new CacheIndex(100);
    index.put('a', 60);
    index.hold('a');
    index.put('b', 30);
    assert.deepEqual(index.fit(40), ['b']);
    assert.equal(index.fit(41), undefined);
    assert.equal(index.next(), 'b');
  });

  test('keeps its sum and its promises under any sequence', () => {
    const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const step = fc.record({
      what: fc.constantFrom('put', 'hold', 'release', 'reserve'),
      key,
      bytes: fc.integer({ min: 0, max: 60 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const index = new CacheIndex(100);
        const model = new Map<string, number>();
        const holds = new Map<string, number>();
        for (const { what, key, bytes } of steps) {
          if (what === 'hold' && model.has(key)) holds.set(key, (holds.get(key) ?? 0) + 1);
          if (what === 'hold' && model.has(key)) index.hold(key);
          if (what === 'release') holds.set(key, Math.max(0, (holds.get(key) ?? 0) - 1));
          if (what === 'release') index.release(key);
          if (what === 'put' || what === 'reserve') {
            const going = index.fit(Math.max(0, bytes - index.bytesOf(key)), key);
            if (going === undefined) continue;
            for (const gone of going) {
              assert.ok((holds.get(gone) ?? 0) === 0, `${gone} was held`);
              index.remove(gone);
              model.delete(gone);
            }
            index.put(key, bytes);
            model.set(key, bytes);
            assert.ok(index.usedBytes <= index.limitBytes);
          }
          assert.equal(
            index.usedBytes,
            [...model.values()].reduce((sum, one) => sum + one, 0),
          );
        }
      }),
    );
  });
});
