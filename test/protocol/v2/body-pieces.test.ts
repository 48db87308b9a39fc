import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BodyPieces } from '../../../src/protocol/v2/body-pieces.ts';

describe('BodyPieces', () => {
  test('hands out the bytes in order, uncopied and without empty pieces', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 9 })), fc.array(fc.nat(12)), (pieces, lengths) => {
        const body = new BodyPieces(pieces);
        const whole = Buffer.concat(pieces);
        assert.equal(body.byteLength, whole.length);
        const taken: Uint8Array[] = [];
        for (const length of lengths) {
          if (length > body.left) continue;
          const parts = body.take(length);
          assert.equal(Buffer.concat(parts).length, length);
          taken.push(...parts);
        }
        assert.deepEqual(Buffer.concat(taken), whole.subarray(0, whole.length - body.left));
        for (const part of taken) assert.ok(part.length > 0 && pieces.some(({ buffer }) => buffer === part.buffer));
      }),
    );
  });

  test('joins only what came in several pieces', () => {
    const body = new BodyPieces([Buffer.from('abcd'), Buffer.from('ef'), Buffer.from('gh')]);
    const alone = body.takeJoined(3);
    assert.equal(alone.toString(), 'abc');
    assert.deepEqual([body.takeJoined(4).toString(), body.left], ['defg', 1]);
  });
});
