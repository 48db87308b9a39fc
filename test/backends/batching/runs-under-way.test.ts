import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { RunsUnderWay } from '../../../src/backends/batching/runs-under-way.ts';

describe('RunsUnderWay', () => {
  test('tells beside how many equals a run ran, where that was so all the time', () => {
    const runs = new RunsUnderWay();
    const first = runs.begin(1, 2, 0);
    const second = runs.begin(1, 1, 1);
    assert.deepEqual([runs.count, runs.rows], [2, 3]);
    assert.equal(runs.end(first), 0); // it began alone
    const third = runs.begin(1, 1, 2);
    assert.equal(runs.end(second), 2);
    assert.equal(runs.end(third), 0); // and ended alone
    assert.deepEqual([runs.count, runs.rows], [0, 0]);
  });

  test('does not take a run of other threads for an equal', () => {
    const runs = new RunsUnderWay();
    const first = runs.begin(2, 1, 0);
    const second = runs.begin(1, 1, 0);
    assert.equal(runs.end(second), 0);
    assert.equal(runs.end(first), 1);
  });
});
