import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { formatByteSize, parseByteSize, writeByteSize } from '../../src/config/byte-size.ts';

describe('parseByteSize', () => {
  const sizes: Readonly<Record<string, number>> = {
    '512MiB': 536_870_912,
    '4GiB': 4_294_967_296,
    '1.5 GB': 1_500_000_000,
    '64kB': 64_000,
    '12': 12,
    ' 7B ': 7,
  };
  for (const [text, bytes] of Object.entries(sizes)) {
    test(`reads '${text}' as ${bytes}`, () => assert.equal(parseByteSize(text), bytes));
  }

  for (const text of ['', '4G', '4gib', '-1', '1e3', '0x10', 'MiB', '1 2', '4GiB/s', '99999999TiB', 'toString']) {
    test(`refuses '${text}'`, () => assert.equal(parseByteSize(text), undefined));
  }
});

describe('writeByteSize', () => {
  test('writes what parseByteSize reads back, for every count of bytes', () => {
    fc.assert(fc.property(fc.nat({ max: 2 ** 52 }), (bytes) => parseByteSize(writeByteSize(bytes)) === bytes));
  });

  test('uses a unit wherever one says it exactly', () => {
    assert.deepEqual([2 ** 26, 3 * 2 ** 29, 2 ** 31 - 1].map(writeByteSize), ['64MiB', '1.5GiB', '2147483647']);
  });
});

describe('formatByteSize', () => {
  test('keeps about three digits', () => {
    const shown = [0, 900, 14_900_000, 250 * 2 ** 20, 41e9].map(formatByteSize);
    assert.deepEqual(shown, ['0 B', '900 B', '14.2 MiB', '250 MiB', '38.2 GiB']);
  });
});
