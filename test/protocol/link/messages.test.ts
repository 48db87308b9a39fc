import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { commonVersion } from '../../../src/protocol/link/messages.ts';

const range = fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(4)).map(([min, more]) => [min, min + more] as const);

test('commonVersion is the highest version that both speak, and undefined only where there is none', () => {
  fc.assert(
    fc.property(range, range, (a, b) => {
      const both = Array.from({ length: 20 }, (_, version) => version).filter((version) =>
        [a, b].every(([min, max]) => version >= min && version <= max),
      );
      assert.equal(commonVersion(a, b), both.at(-1));
      assert.equal(commonVersion(b, a), both.at(-1));
    }),
  );
});
