import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { shortString } from '../../../src/protocol/json/short-strings.ts';

describe('shortString', () => {
  test('is the text of the bytes, whatever was read before', () => {
    // few letters and many strings: slots are shared, and strings differ from their neighbours in one place
    const text = fc.string({ unit: fc.constantFrom('a', 'b', 'INPUT', '_0'), maxLength: 40 });
    fc.assert(
      fc.property(fc.array(text, { maxLength: 200 }), fc.nat(3), (texts, offset) => {
        for (const expected of [...texts, ...texts]) {
          const bytes = Buffer.from('#'.repeat(offset) + expected);
          assert.equal(shortString(bytes, offset, bytes.length), expected);
        }
      }),
    );
  });
});
