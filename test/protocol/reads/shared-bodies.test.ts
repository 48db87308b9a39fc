import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SharedBodies, type SharedBody } from '../../../src/protocol/reads/shared-bodies.ts';

const unit = 64 * 1024;

const bodiesOf = (units: number) => new SharedBodies({ path: '', bytes: Buffer.alloc(units * unit) });

describe('SharedBodies', () => {
  test('gives a place in one piece, its tensor aligned whatever stands before it', () => {
    const bodies = bodiesOf(16);
    for (const head of [0, 1, 63, 64, 187]) {
      const { bytes, offset } = bodies.take(100_000, head)!;
      assert.equal(bytes.length, 100_000);
      assert.equal((offset + head) % 64, 0);
      bytes.fill(7);
      assert.equal(
        bodies.bytes.subarray(offset, offset + 100_000).every((byte) => byte === 7),
        true,
      );
    }
  });

  test('has no place for what takes more than a quarter, nor when all is taken', () => {
    const bodies = bodiesOf(8);
    assert.equal(bodies.take(2 * unit + 1, 0), undefined);
    for (let i = 0; i < 4; i++) assert.ok(bodies.take(2 * unit, 0));
    assert.equal(bodies.take(1, 0), undefined);
    assert.equal(bodies.usedBytes, 8 * unit);
  });

  test('keeps a place until neither its owner nor anybody that it was lent to holds it', () => {
    const bodies = bodiesOf(8);
    const body = bodies.take(unit, 0)!;
    body.lend();
    body.lend();
    body.release();
    body.release();
    assert.equal(bodies.usedBytes, unit);
    body.release();
    assert.deepEqual([bodies.usedBytes, body.loans], [0, 2]);
  });

  test('finds the body that a piece is part of', () => {
    const bodies = bodiesOf(16);
    const [first, second] = [bodies.take(2 * unit, 5)!, bodies.take(unit, 0)!];
    assert.equal(bodies.find(first.bytes.subarray(2 * unit - 1)), first);
    assert.equal(bodies.find(second.bytes), second);
    assert.equal(bodies.find(Buffer.alloc(5)), undefined);
    second.release();
    assert.equal(bodies.find(second.bytes), undefined);
  });

  test('never gives two bodies the same place', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 4 * unit }), head: fc.nat(300), frees: fc.nat(20) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const bodies = bodiesOf(16);
        const held: SharedBody[] = [];
        for (const { bytes, head, frees } of steps) {
          const body = bodies.take(bytes, head);
          if (body !== undefined) held.push(body);
          if (frees < held.length) held.splice(frees, 1)[0]!.release();
          const places = held.map(({ offset, bytes: { length } }) => [offset, offset + length] as const);
          places.sort(([a], [b]) => a - b);
          for (const [i, [from]] of places.entries()) assert.ok(i === 0 || places[i - 1]![1] <= from);
        }
        for (const body of held) body.release();
        assert.equal(bodies.usedBytes, 0);
      }),
    );
  });
});
