import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { seededRandom } from '../../../src/cli/bench/random.ts';

describe('seededRandom', () => {
  test('is uniform in [0, 1)', () => {
    const random = seededRandom(42);
    const counts = new Array<number>(10).fill(0);
    for (let i = 0; i < 100_000; i++) counts[Math.floor(random() * 10)]!++;
    for (const count of counts) assert.ok(Math.abs(count - 10_000) < 500, `${counts}`);
  });

  test('differs with the seed', () => {
    const firsts = [0, 1, 2, 3, 2 ** 31].map((seed) => seededRandom(seed)());
    assert.equal(new Set(firsts).size, firsts.length);
  });
});
