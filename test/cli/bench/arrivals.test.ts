import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { arrivalsOf } from '../../../src/cli/bench/arrivals.ts';
import { seededRandom } from '../../../src/cli/bench/random.ts';

const draws = 100_000;

describe('arrivalsOf', () => {
  test('draws Poisson gaps of the mean, as spread as exponential ones are', () => {
    const next = arrivalsOf('poisson', 200, seededRandom(7));
    const gaps = Array.from({ length: draws }, next);
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / draws;
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / draws);
    assert.ok(Math.abs(mean - 5) < 0.1, `mean ${mean}`);
    assert.ok(Math.abs(deviation - 5) < 0.1, `deviation ${deviation}`);
    const longer = gaps.filter((gap) => gap > 10).length / draws;
    assert.ok(Math.abs(longer - Math.exp(-2)) < 0.01, `${longer} are longer than two means`);
    assert.ok(gaps.every((gap) => gap >= 0 && Number.isFinite(gap)));
  });

  test('draws the same gaps from the same seed', () => {
    const [one, other] = [1, 1].map((seed) => arrivalsOf('poisson', 10, seededRandom(seed)));
    for (let i = 0; i < 100; i++) assert.equal(one!(), other!());
  });

  test('draws equal gaps where they shall be constant', () => {
    const next = arrivalsOf('constant', 400, seededRandom(1));
    assert.deepEqual([next(), next(), next()], [2.5, 2.5, 2.5]);
  });
});
