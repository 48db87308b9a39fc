import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import koffi from 'koffi';
import { copyIn, copyOut } from '../../../src/backends/engines/native-memory.ts';

describe('memory of a runtime', () => {
  test('takes pieces one behind the other, and gives them out as a buffer of its own', () => {
    const place = Buffer.from(new ArrayBuffer(256)).fill(9);
    const address = koffi.address(place);
    const large = new Uint8Array(100).fill(3);
    // Small views lie in V8's own heap, and views may begin anywhere.
    copyIn(address, [Uint8Array.of(1, 2), large.subarray(1), new Uint8Array(0), Uint8Array.of(4)]);
    const out = copyOut(address, 103);
    place.fill(0);
    assert.deepEqual([...out], [1, 2, ...Array(99).fill(3), 4, 9]);
    assert.equal(copyOut(address, 0).length, 0);
  });
});
