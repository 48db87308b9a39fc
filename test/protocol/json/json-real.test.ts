import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { JsonCursor } from '../../../src/protocol/json/json-cursor.ts';
import { readReal } from '../../../src/protocol/json/json-real.ts';

function read(text: string): { value: number; end: number } {
  const cursor = new JsonCursor(Buffer.from(text));
  return { value: readReal(cursor), end: cursor.at };
}

/** What no double holds is refused; everything else is what Number() says. */
function assertSameAsNumber(text: string): void {
  if (!Number.isFinite(Number(text))) {
    assert.throws(() => read(text), /Number too big to be stored in double/);
    return;
  }
  const { value, end } = read(text);
  assert.ok(Object.is(value, Number(text)), `${text} was read as ${value}`);
  assert.equal(end, text.length);
}

/** Every bit pattern is as likely as any other, so that tiny and huge numbers come as often as usual ones. */
const anyDouble = fc
  .bigInt({ min: 0n, max: 2n ** 64n - 1n })
  .map((bits) => new Float64Array(BigUint64Array.of(bits).buffer)[0]!)
  .filter(Number.isFinite);
const anyFloat = fc
  .integer({ min: 0, max: 2 ** 32 - 1 })
  .map((bits) => new Float32Array(Uint32Array.of(bits).buffer)[0]!)
  .filter(Number.isFinite);
const usualDouble = fc.double({ min: -1000, max: 1000, noNaN: true });

describe('readReal', () => {
  test('reads the shortest text of any double as that double', () => {
    fc.assert(fc.property(fc.oneof(anyDouble, anyFloat, usualDouble), (value) => assertSameAsNumber(String(value))));
  });

  test('equals Number() bit for bit for any number of digits', () => {
    fc.assert(
      fc.property(fc.oneof(anyDouble, anyFloat, usualDouble), fc.integer({ min: 1, max: 40 }), (value, digits) => {
        assertSameAsNumber(value.toPrecision(digits));
        assertSameAsNumber(value.toExponential(digits));
        assertSameAsNumber(usualText(value, digits));
      }),
      { numRuns: 500 },
    );
  });

  test('equals Number() bit for bit for random decimal texts', () => {
    const digits = fc.stringMatching(/^(0|[1-9]\d{0,24})(\.\d{1,24})?(e[+-]?\d{1,2})?$/);
    fc.assert(fc.property(digits, assertSameAsNumber), { numRuns: 2000 });
  });

  test('equals Number() bit for bit half-way between two doubles and beside it', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-3, max: 1e3, noNaN: true, noDefaultInfinity: true }), (value) => {
        const bits = new BigUint64Array(Float64Array.of(value).buffer)[0]!;
        const next = new Float64Array(BigUint64Array.of(bits + 1n).buffer)[0]!;
        for (const digits of [17, 18]) {
          const text = ((value + next) / 2).toPrecision(digits);
          assertSameAsNumber(text);
          assertSameAsNumber(`${text.slice(0, -1)}5`);
        }
      }),
    );
    // 2 ** 53 + 1 lies exactly between two doubles, and needs no fraction to do so
    for (const text of ['9007199254740993', '9007199254740993.0', '900719925474099.3e1', '900719925474099300e-2']) {
      assertSameAsNumber(text);
    }
  });

  test('reads the limits of doubles and the signs of zero', () => {
    for (const text of [
      '0',
      '-0',
      '-0.0',
      '5e-324',
      '2e-324',
      '1.7976931348623157e308',
      '4.9e-324',
      '0e999',
      '0.0e-999',
    ]) {
      assertSameAsNumber(text);
    }
    assertSameAsNumber(`0.${'0'.repeat(400)}1`);
    assertSameAsNumber(`1${'0'.repeat(300)}`);
    assertSameAsNumber(`1e-${'9'.repeat(400)}`);
  });

  test('takes the names of what is no number, as Triton does', () => {
    const names = ['NaN', 'Infinity', '-Infinity', 'Inf', '-Inf', '-NaN'];
    const values = [Number.NaN, 1 / 0, -1 / 0, 1 / 0, -1 / 0, Number.NaN];
    assert.deepEqual(
      names.map((name) => read(name)),
      names.map((name, i) => ({ value: values[i], end: name.length })),
    );
  });

  test('stops behind the number', () => {
    assert.deepEqual(read('1.5,2'), { value: 1.5, end: 3 });
    assert.deepEqual(read('01'), { value: 0, end: 1 });
    assert.deepEqual(read('NaNo'), { value: Number.NaN, end: 3 });
  });

  for (const [text, message] of [
    ['', 'Invalid value. at 0'],
    ['-', 'Invalid value. at 1'],
    ['+1', 'Invalid value. at 0'],
    ['.5', 'Invalid value. at 0'],
    ['nan', 'Invalid value. at 0'],
    ['1.', 'Miss fraction part in number. at 2'],
    ['1.e5', 'Miss fraction part in number. at 2'],
    ['1e', 'Miss exponent in number. at 2'],
    ['1e+', 'Miss exponent in number. at 3'],
    ['1e400', 'Number too big to be stored in double. at 0'],
  ]) {
    test(`refuses ${JSON.stringify(text)}`, () => {
      assert.throws(
        () => read(text!),
        (fault) => fault instanceof SkeinError && fault.code === 'json_malformed' && fault.message.endsWith(message!),
      );
    });
  }
});

/** toFixed writes an exponent of its own from 1e21 on, with a plus that JSON has too. */
function usualText(value: number, digits: number): string {
  return Math.abs(value) < 1e21 ? value.toFixed(digits) : String(value);
}
