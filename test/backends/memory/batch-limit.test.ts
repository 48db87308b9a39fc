import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { batchLimit } from '../../../src/backends/memory/batch-limit.ts';

const tenEach = (rows: number) => 10 * rows;

describe('batchLimit', () => {
  test('leaves a batch alone whose run fits its share', () => {
    assert.equal(batchLimit(8, 1280, tenEach), 8);
  });

  test('takes the largest that fits', () => {
    assert.equal(batchLimit(8, 1279, tenEach), 7);
    assert.equal(batchLimit(8, 500, tenEach), 3);
  });

  test('never goes below one row, and takes what is not known for nothing', () => {
    assert.equal(batchLimit(8, 10, tenEach), 1);
    assert.equal(
      batchLimit(8, 10, () => 0),
      8,
    );
  });
});
