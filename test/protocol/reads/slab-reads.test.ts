import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SlabPool, slabBytes } from '../../../src/protocol/reads/slab-pool.ts';
import { type SlabHold, SlabReads } from '../../../src/protocol/reads/slab-reads.ts';

const readBytes = 64 * 1024;

function setUp() {
  const pool = new SlabPool(10 * slabBytes);
  const chunks: Buffer[] = [];
  let onChunk: () => void = () => {};
  const reads = new SlabReads(pool, (chunk) => {
    chunks.push(chunk);
    onChunk();
  });
  /** Takes a hold on what is read where `holds` is given. */
  const read = (fill: number, holds?: SlabHold[]) => {
    onChunk = () => holds?.push(reads.hold());
    const buffer = reads.nextBuffer();
    buffer.fill(fill, 0, readBytes);
    reads.onRead(buffer, readBytes);
    return chunks.at(-1)!;
  };
  return { pool, reads, read };
}

describe('SlabReads', () => {
  test('reads into the same place while nobody keeps what was read', () => {
    const { read } = setUp();
    const [first, second] = [read(1), read(2)];
    assert.equal(first.length, readBytes);
    assert.deepEqual([second.buffer, second.byteOffset], [first.buffer, first.byteOffset]);
  });

  test('reads over nothing that is held, and uses a slab again once all holds are spent', () => {
    const { pool, read } = setUp();
    const holds: SlabHold[] = [];
    const chunks = [1, 2, 3, 4, 5].map((fill) => read(fill, holds));
    assert.deepEqual(
      chunks.map((chunk) => chunk[0]),
      [1, 2, 3, 4, 5],
    );
    assert.equal(new Set(chunks.map(({ buffer }) => buffer)).size, 2);
    for (const hold of holds.slice(0, 3)) hold.release(true);
    assert.equal(pool.keptBytes, 0);
    holds[3]!.release(true);
    assert.equal(pool.keptBytes, slabBytes);
  });

  test('gives its slab back when it ends, or once all holds are spent', () => {
    const unheld = setUp();
    unheld.read(1);
    unheld.reads.end();
    assert.equal(unheld.pool.keptBytes, slabBytes);
    const { pool, reads, read } = setUp();
    const holds: SlabHold[] = [];
    read(1, holds);
    reads.end();
    assert.equal(pool.keptBytes, 0);
    holds[0]!.release(true);
    assert.equal(pool.keptBytes, slabBytes);
  });

  test('tells what lies in a slab that is held already from what lies in the next', () => {
    const { reads, read } = setUp();
    const holds: SlabHold[] = [];
    read(1, holds);
    const [hold] = holds;
    const inSlab: boolean[] = [];
    for (let fill = 2; fill < 7; fill++) {
      read(fill, holds);
      inSlab.push(reads.isUnder(hold!));
    }
    assert.deepEqual(inSlab, [true, true, true, false, false]);
  });

  test('never uses a slab again that somebody may still read', () => {
    const { pool, read } = setUp();
    const holds: SlabHold[] = [];
    const kept = read(1, holds);
    holds[0]!.release(false);
    for (let fill = 2; fill < 20; fill++) read(fill);
    assert.equal(kept[0], 1);
    assert.equal(pool.keptBytes, 0);
  });
});
