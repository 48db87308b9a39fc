import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { chooseTarget } from '../../../src/router/routing/choose-target.ts';

const split = [
  { model: 'a', weight: 9 },
  { model: 'b', weight: 1 },
];

describe('chooseTarget', () => {
  test('gives each target its share', () => {
    const counts = { a: 0, b: 0 };
    for (let i = 0; i < 1_000; i++) counts[chooseTarget(split, i / 1_000).model as 'a' | 'b']++;
    assert.deepEqual(counts, { a: 900, b: 100 });
  });

  test('gives nothing to a target of weight 0', () => {
    const targets = [{ model: 'a', weight: 0 }, ...split.slice(1)];
    assert.equal(chooseTarget(targets, 0).model, 'b');
  });

  test('has an answer where all weights are 0', () => {
    assert.equal(chooseTarget([{ model: 'a', weight: 0 }], 0.5).model, 'a');
  });
});
