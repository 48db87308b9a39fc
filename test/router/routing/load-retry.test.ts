import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { decideLoadRetry } from '../../../src/router/routing/load-retry.ts';

const noRoom = new SkeinError('no_room', { model: 'a', neededBytes: 1, detail: 'full' });
const tooLarge = new SkeinError('model_too_large', { model: 'a', neededBytes: 2, budgetBytes: 1 });
const noDisk = new SkeinError('source_disk', { reason: 'ENOSPC' });

describe('decideLoadRetry', () => {
  test('asks again soon, and for as long as it takes, where room may come', () => {
    for (const rounds of [0, 1, 100]) {
      for (const refusals of [[noRoom], [noDisk, noRoom], [tooLarge, noRoom]]) {
        assert.deepEqual(decideLoadRetry(refusals, rounds, 60_000), { kind: 'after', delayMs: 50 });
      }
    }
  });

  test('asks less and less often where nothing says that it will be better, and gives up', () => {
    const delays = [0, 1, 2, 3].map((rounds) => decideLoadRetry([noDisk, tooLarge], rounds, 0));
    assert.deepEqual(
      delays,
      [500, 1_000, 2_000, 4_000].map((delayMs) => ({ kind: 'after', delayMs })),
    );
    assert.deepEqual(decideLoadRetry([noDisk], 4, 9_000), { kind: 'after', delayMs: 1_000 });
    assert.deepEqual(decideLoadRetry([noDisk], 5, 10_000), { kind: 'fail' });
  });

  test('gives up at once what is too large for each of them', () => {
    assert.deepEqual(decideLoadRetry([tooLarge, tooLarge], 0, 0), { kind: 'fail' });
  });
});
