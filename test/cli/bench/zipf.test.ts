import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../src/cli/bench/random.ts';
import { zipfPicker } from '../../../src/cli/bench/zipf.ts';

const draws = 200_000;

function sharesOf(count: number, exponent: number): number[] {
  const pick = zipfPicker(count, exponent, seededRandom(3));
  const counts = new Array<number>(count).fill(0);
  for (let i = 0; i < draws; i++) counts[pick()]!++;
  return counts.map((picked) => picked / draws);
}

describe('zipfPicker', () => {
  test('picks the k-th in proportion to 1/k^s', () => {
    const shares = sharesOf(50, 1.2);
    const weights = shares.map((_, i) => 1 / (i + 1) ** 1.2);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    for (const [i, share] of shares.entries()) {
      assert.ok(Math.abs(share - weights[i]! / sum) < 0.005, `${i}: ${share}, not ${weights[i]! / sum}`);
    }
  });

  test('with exponent 0 picks all alike', () => {
    for (const share of sharesOf(20, 0)) assert.ok(Math.abs(share - 0.05) < 0.005, `${share}`);
  });

  test('of one picks that one', () => assert.equal(zipfPicker(1, 1, seededRandom(1))(), 0));

  test('picks the last one for the largest random number', () => {
    assert.equal(zipfPicker(7, 1, () => 1 - 2 ** -32)(), 6);
  });
});
