import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  layoutsOf,
  levelOf,
  rowLadder,
  settingKey,
  settingsAt,
  topLevel,
} from '../../../src/backends/batching/run-setting.ts';

const limits = fc.record({
  cores: fc.integer({ min: 1, max: 64 }),
  threads: fc.integer({ min: 1, max: 8 }),
  threadsAreGiven: fc.boolean(),
  givenSlots: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
});

describe('layoutsOf', () => {
  test('begins with the session that is there, and names no layout twice', () => {
    fc.assert(
      fc.property(limits, (given) => {
        const layouts = layoutsOf(given);
        assert.equal(layouts[0]!.threads, given.threads);
        assert.equal(new Set(layouts.map(({ threads, slots }) => `${threads}.${slots}`)).size, layouts.length);
      }),
    );
  });

  test('offers what the user wrote and nothing else', () => {
    assert.deepEqual(layoutsOf({ cores: 8, threads: 2, threadsAreGiven: false, givenSlots: 3 }), [
      { threads: 2, slots: 3 },
    ]);
    const threads = layoutsOf({ cores: 8, threads: 3, threadsAreGiven: true, givenSlots: undefined });
    assert.deepEqual(new Set(threads.map((layout) => layout.threads)), new Set([3]));
  });

  test('on two cores knows one run of two threads, two of one, and two that share two threads', () => {
    assert.deepEqual(layoutsOf({ cores: 2, threads: 2, threadsAreGiven: false, givenSlots: undefined }), [
      { threads: 2, slots: 1 },
      { threads: 2, slots: 2 },
      { threads: 1, slots: 2 },
    ]);
  });
});

describe('levelOf', () => {
  test('is the least power of two that holds the rows, bounded', () => {
    assert.deepEqual([0, 1, 2, 3, 4, 5, 8, 9].map(levelOf), [0, 0, 1, 2, 2, 3, 3, 4]);
    assert.equal(levelOf(1e9), topLevel);
  });
});

describe('settingsAt', () => {
  test('offers one run of one row to a lone request, and to many every size up to the largest', () => {
    const layouts = layoutsOf({ cores: 2, threads: 2, threadsAreGiven: false, givenSlots: undefined });
    assert.deepEqual(settingsAt(0, layouts, rowLadder(6)), [
      { threads: 2, slots: 1, rows: 1 },
      { threads: 1, slots: 1, rows: 1 },
    ]);
    const many = settingsAt(4, layouts, rowLadder(6));
    assert.deepEqual([...new Set(many.map(({ rows }) => rows))], [1, 2, 4, 6]);
    assert.equal(many.length, 12);
  });

  test('lets no request wait while a slot that the cores have for it stays empty', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 200 }), fc.integer({ min: 1, max: 32 }), (given, rows, maxRows) => {
        const level = levelOf(rows);
        const settings = settingsAt(level, layoutsOf(given), rowLadder(maxRows));
        assert.equal(new Set(settings.map(settingKey)).size, settings.length);
        for (const { threads } of layoutsOf(given)) {
          const own = settings.filter((setting) => setting.threads === threads);
          const most = Math.max(...own.map(({ slots }) => slots));
          const wanted = Math.max(
            ...layoutsOf(given)
              .filter((one) => one.threads === threads)
              .map(({ slots }) => slots),
          );
          assert.ok(most >= Math.min(rows, wanted, 2 ** topLevel));
        }
      }),
    );
  });
});
