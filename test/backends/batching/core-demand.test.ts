import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreDemand } from '../../../src/backends/batching/core-demand.ts';

describe('CoreDemand', () => {
  test('is the mean over the time since it was asked last', () => {
    const demand = new CoreDemand(0);
    demand.note(2, 10);
    demand.note(0, 40);
    assert.equal(demand.take(60), 1);
    assert.equal(demand.take(100), 0);
    demand.note(4, 150);
    assert.equal(demand.take(200), 2);
  });

  test('is what is wanted now where it is asked twice in one moment', () => {
    const demand = new CoreDemand(0);
    demand.note(3, 5);
    assert.ok(demand.take(5) >= 0);
    assert.equal(demand.take(5), 3);
  });
});
