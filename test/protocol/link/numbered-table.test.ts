import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { getHeapSpaceStatistics } from 'node:v8';
import fc from 'fast-check';
import { NumberedTable } from '../../../src/protocol/link/numbered-table.ts';

type Step = readonly ['set' | 'delete', number];

/** Near each other, as far apart as numbers are, and many that lead to the same place. */
const number = fc.oneof(fc.nat(40), fc.constantFrom(0, 1, 16, 4_096, 0x8000_0000, 0xffff_fff0, 0xffff_ffff));
const steps = fc.array(fc.tuple(fc.constantFrom('set', 'set', 'delete'), number) as fc.Arbitrary<Step>, {
  maxLength: 200,
});

describe('NumberedTable', () => {
  test('holds what a Map would', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const table = new NumberedTable<object>();
        const map = new Map<number, object>();
        for (const [step, at] of all) {
          const value = {};
          if (step === 'delete') assert.equal(table.delete(at), map.delete(at));
          else {
            table.set(at, value);
            map.set(at, value);
          }
          assert.equal(table.size, map.size);
          assert.deepEqual([table.get(at), table.has(at)], [map.get(at), map.has(at)]);
        }
        assert.deepEqual(
          table.entries(),
          [...map].sort(([a], [b]) => a - b),
        );
        assert.equal(table.values().length, map.size);
        for (const [at, value] of map) assert.equal(table.get(at), value);
      }),
    );
  });

  test('grows with what it holds, and is empty after clear', () => {
    const table = new NumberedTable<{ at: number }>();
    for (let at = 0; at < 10_000; at++) table.set(at * 64, { at });
    for (let at = 0; at < 10_000; at++) assert.equal(table.get(at * 64)?.at, at);
    for (let at = 0; at < 9_990; at++) assert.equal(table.delete(at * 64), true);
    assert.deepEqual(
      table.entries().map(([, { at }]) => at),
      [9_990, 9_991, 9_992, 9_993, 9_994, 9_995, 9_996, 9_997, 9_998, 9_999],
    );
    table.clear();
    assert.deepEqual([table.size, table.entries(), table.has(9_999 * 64)], [0, [], false]);
    table.set(5, { at: 5 });
    assert.equal(table.get(5)?.at, 5);
  });

  test('what was deleted while others were gone through is not lost or told of twice', () => {
    const table = new NumberedTable<{ at: number }>();
    for (let at = 0; at < 100; at++) table.set(at, { at });
    const seen = table.values().map(({ at }) => {
      table.delete(at);
      return at;
    });
    assert.deepEqual(
      seen.sort((a, b) => a - b),
      Array.from({ length: 100 }, (_, at) => at),
    );
    assert.equal(table.size, 0);
  });

  test('what it held does not grow old: a Map keeps several times as much', () => {
    const inMap = grownOldBytes(new Map());
    const inTable = grownOldBytes(new NumberedTable());
    assert.ok(inTable < inMap / 3, `${inTable} bytes grew old beside ${inMap} in a Map`);
  });
});

interface Numbered {
  set(number: number, value: object): unknown;
  delete(number: number): boolean;
}

/** After what it holds has been among the old objects once: 200,000 objects, 64 at a time. */
function grownOldBytes(table: Numbered): number {
  const pass = () => {
    for (let at = 0; at < 200_000; at++) {
      table.set(at, { at, text: `request ${at}` });
      table.delete(at - 64);
    }
  };
  pass();
  globalThis.gc!();
  const before = oldBytes();
  pass();
  return oldBytes() - before;
}

function oldBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name }) => space_name === 'old_space')!.space_used_size;
}
