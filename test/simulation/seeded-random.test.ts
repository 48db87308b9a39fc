import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { exponential, normal, seededRandom, shuffle, WeightedDraw } from '../../src/simulation/seeded-random.ts';

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

describe('seededRandom', () => {
  test('gives the same numbers for the same seed on every machine', () => {
    const random = seededRandom(42);
    const first = [random(), random(), random()].map((value) => value.toFixed(6));
    assert.deepEqual(first, ['0.601104', '0.448291', '0.852466']);
  });

  test('is even, and what is drawn with it has the mean and the spread that it should', () => {
    const random = seededRandom(1);
    const draws = <T>(draw: () => T) => Array.from({ length: 20_000 }, draw);
    assert.ok(Math.abs(mean(draws(random)) - 0.5) < 0.01);
    const normals = draws(() => normal(random));
    assert.ok(Math.abs(mean(normals)) < 0.03 && Math.abs(mean(normals.map((one) => one * one)) - 1) < 0.05);
    assert.ok(Math.abs(mean(draws(() => exponential(random, 0.25))) - 4) < 0.15);
  });
});

describe('WeightedDraw', () => {
  test('draws in proportion to the weights', () => {
    const random = seededRandom(7);
    const weights = [1, 2, 0, 5, 8];
    const draw = new WeightedDraw(weights);
    const counts = weights.map(() => 0);
    for (let at = 0; at < 32_000; at++) counts[draw.draw(random)]! += 1;
    assert.equal(counts[2], 0);
    // Binomial: four standard deviations of the largest are 360.
    for (const [at, weight] of weights.entries()) assert.ok(Math.abs(counts[at]! - 2_000 * weight) < 360, `${counts}`);
  });
});

describe('shuffle', () => {
  test('keeps every value', () => {
    const values = Array.from({ length: 100 }, (_, at) => at);
    const shuffled = shuffle([...values], seededRandom(3));
    assert.notDeepEqual(shuffled, values);
    assert.deepEqual(
      shuffled.toSorted((a, b) => a - b),
      values,
    );
  });
});
