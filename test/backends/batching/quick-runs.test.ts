import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { QuickRuns } from '../../../src/backends/batching/quick-runs.ts';

describe('QuickRuns', () => {
  test('tries nothing of which nothing is known, nor what was long on a thread', () => {
    const runs = new QuickRuns();
    assert.equal(runs.mostRows('a', 4, 0), 0);
    runs.ranElsewhere('a', 4, 3);
    assert.equal(runs.mostRows('a', 4, 0), 0);
    runs.ranElsewhere('a', 4, 0.5);
    assert.equal(runs.mostRows('a', 4, 0), 4);
    assert.equal(runs.mostRows('b', 4, 0), 0, 'other shapes');
  });

  test('goes on to twice the rows of what was short', () => {
    const runs = new QuickRuns();
    runs.ranElsewhere('a', 1, 0.5);
    runs.ran('a', 1, 0.02, 0);
    assert.equal(runs.mostRows('a', 5, 0), 2, 'not further at once');
    runs.ran('a', 2, 0.03, 0);
    assert.equal(runs.mostRows('a', 5, 0), 4);
    runs.ran('a', 4, 0.2, 0);
    assert.equal(runs.mostRows('a', 5, 0), 0, 'four rows are known to be long');
    assert.equal(runs.mostRows('a', 2, 0), 2);
  });

  test('gives back to the threads what has become long, and tries it again after ever longer pauses', () => {
    const runs = new QuickRuns();
    runs.ranElsewhere('a', 8, 0.5);
    runs.ran('a', 8, 0.09, 0);
    let slowRuns = 0;
    for (; runs.mostRows('a', 8, 0) > 0; slowRuns++) runs.ran('a', 8, 5, 0);
    assert.ok(slowRuns > 0 && slowRuns < 10, `${slowRuns} long runs`);
    assert.equal(runs.mostRows('a', 8, 999), 0);
    assert.equal(runs.mostRows('a', 8, 1_000), 8);
    runs.ran('a', 8, 5, 1_000);
    assert.equal(runs.mostRows('a', 8, 2_999), 0);
    assert.equal(runs.mostRows('a', 8, 3_000), 8);
    runs.ran('a', 8, 0.05, 3_000);
    assert.equal(runs.mostRows('a', 8, 3_001), 8);
  });

  test('does not mind a run that lost its core', () => {
    const runs = new QuickRuns();
    runs.ranElsewhere('a', 1, 0.5);
    runs.ran('a', 1, 0.02, 0);
    for (let i = 0; i < 100; i++) runs.ran('a', 1, i % 4 === 0 ? 20 : 0.02, i);
    assert.equal(runs.mostRows('a', 1, 100), 1);
  });

  test('runs no smaller batches in place of one that is long', () => {
    const runs = new QuickRuns();
    runs.ranElsewhere('a', 4, 0.5);
    runs.ran('a', 4, 0.02, 0);
    runs.ran('a', 8, 0.5, 0);
    assert.equal(runs.mostRows('a', 8, 0), 0);
    assert.equal(runs.mostRows('a', 4, 0), 4);
  });

  test('tells the most rows that are quick, of any shapes, and how long such runs take', () => {
    const runs = new QuickRuns();
    assert.equal(runs.longest(), undefined);
    runs.ran('a', 4, 0.02, 0);
    runs.ran('a', 8, 0.5, 0);
    runs.ran('b', 2, 0.06, 0);
    assert.deepEqual(runs.longest(), { rows: 4, ms: 0.06 });
  });

  test('forgets rather than remember ever more keys', () => {
    const runs = new QuickRuns();
    runs.ranElsewhere('a', 1, 0.5);
    for (let i = 0; i < 64; i++) runs.ranElsewhere(`k${i}`, 1, 0.5);
    assert.equal(runs.mostRows('a', 1, 0), 0);
    assert.equal(runs.mostRows('k63', 1, 0), 1);
  });
});
