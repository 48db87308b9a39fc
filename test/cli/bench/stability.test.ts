import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isStable } from '../../../src/cli/bench/stability.ts';

const window = (perSecond: number, latencyUs = 100) => ({ perSecond, latencyUs });

describe('isStable', () => {
  test('wants three windows', () => {
    assert.equal(isStable([window(100), window(100)], 10), false);
    assert.equal(isStable([window(100), window(100), window(100)], 10), true);
  });

  test('looks at the last three alone', () => {
    assert.equal(isStable([window(10), window(100), window(105), window(110)], 10), true);
    assert.equal(isStable([window(100), window(100), window(100), window(111)], 10), false);
  });

  test('wants latencies to agree, too', () => {
    assert.equal(isStable([window(100, 50), window(100, 52), window(100, 55)], 10), true);
    assert.equal(isStable([window(100, 50), window(100, 52), window(100, 56)], 10), false);
  });

  test('takes windows without an answer for unstable', () => {
    assert.equal(isStable([window(0, 0), window(0, 0), window(0, 0)], 10), false);
  });
});
