import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { retryDelayMs } from '../../../src/fleet/sources/retry-delay.ts';

describe('retryDelayMs', () => {
  test('doubles up to its bound, half of it jitter', () => {
    assert.deepEqual(
      [1, 2, 3, 6, 9].map((tries) => retryDelayMs(tries, 0)),
      [125, 250, 500, 4_000, 4_000],
    );
    assert.equal(retryDelayMs(1, 0.5), 187.5);
  });
});
