import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type CoreWish, divideCores } from '../../../src/backends/batching/divide-cores.ts';

const coreCounts = fc.integer({ min: 1, max: 64 });
const wishLists = fc
  .array(fc.double({ min: 0, max: 80, noNaN: true }), { minLength: 1, maxLength: 8 })
  .map((wanted) => wanted.map((wantedCores, i): CoreWish => ({ id: `b${i}`, wantedCores })));
const sum = (numbers: readonly number[]) => numbers.reduce((a, b) => a + b, 0);
const wholeCores = (cores: number, wishes: readonly CoreWish[]) =>
  wishes.map(({ wantedCores }) => Math.min(cores, Math.round(wantedCores)));

describe('divideCores', () => {
  test('leaves no core idle that is wanted, and gives a process no fewer than one nor more than there are', () => {
    fc.assert(
      fc.property(coreCounts, wishLists, (cores, wishes) => {
        const shares = [...divideCores(cores, wishes).values()];
        assert.ok(
          shares.every((share) => Number.isInteger(share) && share >= 1 && share <= cores),
          `${shares}`,
        );
        const wanted = wholeCores(cores, wishes);
        const used = sum(shares.map((share, i) => Math.min(share, wanted[i]!)));
        assert.ok(used >= Math.min(cores, sum(wanted)), `${used} of ${cores} used, ${wanted} wanted`);
      }),
    );
  });

  test('lets those that want more than there are hold no more than there are, as many as each other', () => {
    fc.assert(
      fc.property(coreCounts, wishLists, (cores, wishes) => {
        const wanted = wholeCores(cores, wishes);
        if (sum(wanted) <= cores) return;
        const shares = [...divideCores(cores, wishes).values()];
        const busy = shares.filter((_, i) => wanted[i]! > 0);
        assert.ok(sum(busy) <= Math.max(cores, busy.length), `${shares} of ${cores}`);
        const most = Math.max(...shares);
        for (const [i, share] of shares.entries()) assert.ok(share >= Math.min(wanted[i]!, most - 1), `${shares}`);
      }),
    );
  });

  const divided = (cores: number, ...wanted: readonly number[]) => [
    ...divideCores(
      cores,
      wanted.map((wantedCores, i) => ({ id: `b${i}`, wantedCores })),
    ).values(),
  ];

  test('gives one that is busy alone all of them', () => {
    assert.deepEqual(divided(2, 0, 0, 0), [2, 2, 2]);
    assert.deepEqual(divided(2, 2, 0, 0), [2, 1, 1]);
    assert.deepEqual(divided(2, 2, 0.25, 0), [2, 1, 1]);
  });

  test('divides what two saturate, and leaves one what it uses', () => {
    assert.deepEqual(divided(2, 2, 2), [1, 1]);
    assert.deepEqual(divided(16, 16, 3), [13, 3]);
    assert.deepEqual(divided(16, 16, 16, 16), [6, 5, 5]);
    assert.deepEqual(divided(2, 2, 2, 2), [1, 1, 1]);
  });
});
