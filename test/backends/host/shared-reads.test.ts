import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SharedReads } from '../../../src/backends/host/shared-reads.ts';
import { LinkRuleBroken } from '../../../src/protocol/link/frame-reader.ts';
import { createSharedMemory } from '../../../src/protocol/native/shared-memory.ts';

const bytes = 256 * 1024;

function reading(isLocal = true) {
  const memory = createSharedMemory(bytes)!;
  const returned: number[] = [];
  const reads = new SharedReads(isLocal, (stream) => returned.push(stream));
  return { memory, returned, reads };
}

describe('SharedReads', { skip: process.platform === 'linux' ? false : 'Linux alone shares memory' }, () => {
  test('reads what lies in the memory of a router, and nothing beside it', () => {
    const { memory, reads } = reading();
    assert.throws(() => reads.piece(0, 1), LinkRuleBroken);
    reads.open({ path: memory.path, bytes });
    memory.bytes.write('body', 1_000);
    assert.equal(reads.piece(1_000, 4).toString(), 'body');
    assert.equal(reads.piece(bytes - 1, 1).length, 1);
    assert.throws(() => reads.piece(bytes - 1, 2), LinkRuleBroken);
    assert.throws(() => reads.piece(0xffff_ffff, 0xffff_ffff), LinkRuleBroken);
    reads.close();
    assert.throws(() => reads.piece(1_000, 4), LinkRuleBroken);
  });

  test('takes memory once, and none of a router on another host', () => {
    const { memory, reads } = reading();
    const share = { path: memory.path, bytes };
    reads.open(share);
    assert.throws(() => reads.open(share), { code: 'internal' });
    assert.throws(() => reading(false).reads.open(share), { code: 'internal' });
    assert.throws(() => reading().reads.open({ path: '/etc/hosts', bytes }), { code: 'internal' });
  });

  test('says that it has done with a body that was given up, once no run reads it', () => {
    const { returned, reads } = reading();
    reads.giveUp(1, false);
    reads.giveUp(2, true);
    assert.deepEqual(returned, [1]);
    reads.done(2);
    reads.done(2);
    reads.done(3);
    assert.deepEqual(returned, [1, 2]);
  });

  test('keeps the memory after the link has ended for as long as a run reads it', () => {
    const { memory, reads } = reading();
    reads.open({ path: memory.path, bytes });
    memory.bytes.write('body', 0);
    const piece = reads.piece(0, 4);
    reads.giveUp(1, true);
    reads.close();
    assert.equal(piece.toString(), 'body');
    reads.done(1);
    assert.throws(() => reads.piece(0, 4), LinkRuleBroken);
  });
});
