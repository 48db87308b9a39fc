import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { scaleDown } from '../../../src/protocol/json/scale-down.ts';

const nineDigits = fc.integer({ min: 100_000_000, max: 999_999_999 });

describe('scaleDown', () => {
  test('rounds correctly, or says that it cannot tell', () => {
    fc.assert(
      fc.property(nineDigits, fc.nat(999_999_999), fc.integer({ min: 0, max: 66 }), (high, low, powers) => {
        const text = `${high}${String(low).padStart(9, '0')}e-${powers}`;
        const value = scaleDown(high, 1e9, low, powers);
        // a tie has 54 bits and 5 ** powers as factors, which is more than 18 digits from three powers on
        if (powers > 2 || !Number.isNaN(value)) assert.equal(value, Number(text), text);
      }),
      { numRuns: 2000 },
    );
  });

  test('does not decide a tie, nor beside one', () => {
    // 9007199254740993 = 2 ** 53 + 1 lies half-way between two doubles
    assert.equal(scaleDown(900_719_925, 1e9, 474_099_300, 2), Number.NaN);
    assert.equal(scaleDown(900_719_925, 1e9, 474_099_301, 2), 9007199254740994);
    assert.equal(scaleDown(900_719_925, 1e9, 474_099_299, 2), 9007199254740992);
  });

  test('does not scale up, nor further down than it is exact', () => {
    assert.equal(scaleDown(123_456_789, 1e9, 123_456_789, -1), Number.NaN);
    assert.equal(scaleDown(123_456_789, 1e9, 123_456_789, 67), Number.NaN);
  });
});
