import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { decimalText } from '../../../src/protocol/v1/decimal-text.ts';

describe('decimalText', () => {
  test('writes what C writes with %g, %.9g and %.17g', () => {
    // printf of glibc; the two before the last lie exactly between two decimals of nine digits
    const floats: [number, string][] = [
      [0.2, '0.2'],
      [3.5, '3.5'],
      [4, '4.0'],
      [-0, '-0.0'],
      [100000, '100000.0'],
      [9_000_000, '9e+06'],
      [0.00003, '3e-05'],
      [16777217, '16777216.0'],
      [1 / 3, '0.333333343'],
      [3.4028234663852886e38, '3.40282347e+38'],
      [1.401298464324817e-45, '1.4013e-45'],
      [2 ** -13, '0.000122070312'],
      [8388607.5, '8388607.5'],
      [123456.7890625, '123456.789'],
    ];
    for (const [value, text] of floats) assert.equal(decimalText(Math.fround(value), 'FP32'), text);
    assert.equal(decimalText(0.1 + 0.2, 'FP64'), '0.30000000000000004');
    assert.equal(decimalText(1e22, 'FP64'), '1e+22');
    assert.equal(decimalText(123456789, 'FP64'), '123456789.0');
  });

  test('names what is no number', () => {
    assert.deepEqual(
      [Number.NaN, Infinity, -Infinity].map((value) => decimalText(value, 'FP32')),
      ['NaN', 'Infinity', '-Infinity'],
    );
  });

  test('reads back as the same float, and shows that it is one', () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = decimalText(value, 'FP32');
        assert.equal(Math.fround(Number(text)), value);
        assert.match(text, /[.e]/);
      }),
    );
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
        assert.equal(Number(decimalText(value, 'FP64')), value);
      }),
    );
  });
});
