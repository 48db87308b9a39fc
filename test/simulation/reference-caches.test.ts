import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { bestFixedHits, lruHits } from '../../src/simulation/reference-caches.ts';

const one = () => 1;

describe('lruHits', () => {
  test('gives up what was used longest ago', () => {
    assert.equal(lruHits([...'abcabc'], one, 3), 3);
    assert.equal(lruHits([...'abcabc'], one, 2), 0);
    assert.equal(lruHits([...'abacaba'], one, 2), 3);
  });

  test('counts bytes, where models differ', () => {
    const bytesOf = (model: string) => (model === 'L' ? 3 : 1);
    assert.equal(lruHits([...'abLab'], bytesOf, 4), 0);
    assert.equal(lruHits([...'abLab'], bytesOf, 5), 2);
  });
});

describe('bestFixedHits', () => {
  test('holds from the start what is asked for most, for its bytes', () => {
    assert.equal(bestFixedHits([...'aaabbc'], one, 1), 3);
    assert.equal(bestFixedHits([...'aaabbc'], one, 2), 5);
    const bytesOf = (model: string) => (model === 'L' ? 3 : 1);
    assert.equal(bestFixedHits([...'LLLaabbcc'], bytesOf, 3), 6);
  });
});
