import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SlabPool, slabBytes } from '../../../src/protocol/reads/slab-pool.ts';

test('SlabPool hands out again what was given back, and keeps no more than its limit', () => {
  const pool = new SlabPool(2 * slabBytes);
  const slabs = [pool.take(), pool.take(), pool.take()];
  assert.equal(new Set(slabs.map(({ buffer }) => buffer)).size, 3);
  for (const slab of slabs) {
    assert.equal(slab.byteLength, slabBytes);
    pool.giveBack(slab);
  }
  assert.equal(pool.keptBytes, 2 * slabBytes);
  const again = [pool.take(), pool.take(), pool.take()];
  assert.equal(again.filter((slab) => slabs.includes(slab)).length, 2);
  assert.equal(pool.keptBytes, 0);
});
