import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SlabPool, slabBytes } from '../../../src/protocol/reads/slab-pool.ts';
import { BodySlabs } from '../../../src/router/servers/body-slabs.ts';

describe('BodySlabs', () => {
  test('gives room one behind the other, and a new slab where little is left', () => {
    const slabs = new BodySlabs(new SlabPool(0));
    const kept = slabs.keep(Buffer.from('abc'));
    assert.equal(kept.toString(), 'abc');
    const room = slabs.room(1_000_000);
    assert.equal(room.buffer, kept.buffer);
    assert.equal(room.byteOffset, kept.byteOffset + 3);
    assert.equal(room.byteLength, slabBytes - 3);
    slabs.fill(room.byteLength - 10);
    assert.notEqual(slabs.room(1_000).buffer, kept.buffer);
    assert.equal(kept.toString(), 'abc');
  });

  test('reads no more than it is asked for', () => {
    assert.equal(new BodySlabs(new SlabPool(0)).room(5).byteLength, 5);
  });

  test('gives its slabs back when nobody reads them any more, and leaves them alone otherwise', () => {
    const pool = new SlabPool(10 * slabBytes);
    const slabs = new BodySlabs(pool);
    slabs.fill(slabs.room(slabBytes).byteLength);
    slabs.room(1);
    slabs.release(true);
    assert.equal(pool.keptBytes, 2 * slabBytes);
    slabs.room(1);
    slabs.release(false);
    slabs.release(true);
    assert.equal(pool.keptBytes, slabBytes);
  });
});
