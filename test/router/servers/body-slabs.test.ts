import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedBodies } from '../../../src/protocol/reads/shared-bodies.ts';
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

  test('reads a body into shared memory in one piece, and into slabs where that has no place', () => {
    const bodies = sharedBodies();
    const slabs = new BodySlabs(new SlabPool(0), bodies);
    slabs.begin(200_000, 100);
    const kept = slabs.keep(Buffer.from('abc'));
    const room = slabs.room(199_997);
    assert.deepEqual([kept.toString(), room.byteLength, room.byteOffset - kept.byteOffset], ['abc', 199_997, 3]);
    assert.equal(bodies.find(room), bodies.find(kept));
    assert.notEqual(bodies.find(room), undefined);
    slabs.release(true);
    assert.equal(bodies.usedBytes, 0);
    slabs.begin(bodies.bytes.byteLength, 0);
    assert.equal(bodies.find(slabs.room(100)), undefined);
  });

  test('leaves a place of shared memory to those that it is lent to, and for a while to those that are sent it', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const bodies = sharedBodies();
    const slabs = new BodySlabs(new SlabPool(0), bodies);
    slabs.begin(100_000, 0);
    const lent = bodies.find(slabs.room(1))!;
    lent.lend();
    slabs.release(false, 1);
    assert.ok(bodies.usedBytes > 0);
    lent.release();
    assert.equal(bodies.usedBytes, 0);
    slabs.begin(100_000, 0);
    slabs.release(false, 1);
    t.mock.timers.tick(59_999);
    assert.ok(bodies.usedBytes > 0);
    t.mock.timers.tick(1);
    assert.equal(bodies.usedBytes, 0);
  });
});

function sharedBodies(): SharedBodies {
  return new SharedBodies({ path: '', bytes: Buffer.alloc(2 * 1024 * 1024) });
}
