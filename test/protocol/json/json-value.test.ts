import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { readDocument } from '../../../src/protocol/json/json-document.ts';
import { JsonReal } from '../../../src/protocol/json/json-number.ts';
import type { JsonValue } from '../../../src/protocol/json/json-value.ts';

const read = (text: string) => readDocument(Buffer.from(text));

/** What JSON.parse would give: the first of members with the same name is kept, so names must differ for that. */
function plain(value: JsonValue): unknown {
  if (value instanceof JsonReal) return value.value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, member]) => [name, plain(member)]));
  return Array.isArray(value) ? value.map(plain) : value;
}

function faultOf(text: string | Buffer): string {
  try {
    readDocument(Buffer.from(text));
  } catch (fault) {
    assert.ok(fault instanceof SkeinError, String(fault));
    assert.equal(fault.kind, 'invalid');
    return fault.message;
  }
  return 'no fault';
}

describe('readDocument', () => {
  test('reads what JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.constantFrom('', ' ', '\t', '\n  '), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        // through JSON once more: -0 and members named __proto__ lose themselves there, here and in the expectation
        assert.equal(JSON.stringify(plain(read(text))), JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  test('refuses what JSON.parse refuses, but for the names of what is no number', () => {
    const fragments = fc.array(
      fc.constantFrom('{', '}', '[', ']', ':', ',', '"a"', '"b"', '1', '-2.5', 'true', 'null', ' ', '"\\n"', '0'),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(fragments, (parts) => {
        const text = parts.join('');
        let valid = true;
        try {
          JSON.parse(text);
        } catch {
          valid = false;
        }
        assert.equal(faultOf(text) === 'no fault', valid, text);
      }),
      { numRuns: 2000 },
    );
  });

  test('keeps integers apart from reals', () => {
    assert.deepEqual(read('[1,1.0,1e2,-0,9007199254740993,18446744073709551615,-9223372036854775808]'), [
      1,
      new JsonReal(1),
      new JsonReal(100),
      0,
      9007199254740993n,
      18446744073709551615n,
      -9223372036854775808n,
    ]);
    assert.deepEqual(read('18446744073709551616'), new JsonReal(2 ** 64));
    assert.deepEqual(read(`[${'9'.repeat(300)}]`), [new JsonReal(1e300)]);
  });

  test('takes a byte-order mark, and of members with the same name the first', () => {
    assert.deepEqual(
      read('\ufeff{"a":1,"b":2,"a":3}'),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });

  test('reads escapes as the characters they stand for', () => {
    assert.equal(read('"\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u20ac\\ud83d\\ude00\\u0000"'), '"\\/\b\f\n\r\té€😀\0');
    assert.equal(read('"é€😀\\n"'), 'é€😀\n');
  });

  test('takes 100 levels and refuses the next', () => {
    assert.equal(faultOf('['.repeat(100) + ']'.repeat(100)), 'no fault');
    assert.equal(faultOf('['.repeat(101) + ']'.repeat(101)), 'JSON nesting depth exceeds maximum allowed limit (100)');
    assert.equal(faultOf('{"a":'.repeat(1e6)), 'JSON nesting depth exceeds maximum allowed limit (100)');
  });

  const prefix = 'failed to parse the request JSON buffer: ';
  for (const [text, reason] of [
    ['', 'The document is empty. at 0'],
    [' ', 'The document is empty. at 1'],
    ['{', 'Missing a name for object member. at 1'],
    ["{'a':1}", 'Missing a name for object member. at 1'],
    ['{"inputs":[],}', 'Missing a name for object member. at 13'],
    ['{"a"}', 'Missing a colon after a name of object member. at 4'],
    ['{"a":1', "Missing a comma or '}' after an object member. at 6"],
    ['[1 2]', "Missing a comma or ']' after an array element. at 3"],
    ['[01]', "Missing a comma or ']' after an array element. at 2"],
    ['hello', 'Invalid value. at 0'],
    ['[1,]', 'Invalid value. at 3'],
    ['[[[[[[[[[[', 'Invalid value. at 10'],
    ['nul', 'Invalid value. at 3'],
    ['{"inputs":[]}trailing', 'The document root must not be followed by other values. at 13'],
    ['"a', 'Missing a closing quotation mark in string. at 2'],
    ['"a\\', 'Invalid escape character in string. at 2'],
    ['"\\x"', 'Invalid escape character in string. at 1'],
    ['"a\nb"', 'Invalid encoding in string. at 2'],
    ['"\\u12g4"', 'Incorrect hex digit after \\u escape in string. at 1'],
    ['"\\ud800"', 'The surrogate pair in string is invalid. at 1'],
    ['"\\udc00"', 'The surrogate pair in string is invalid. at 1'],
    ['"\\ud800\\u0041"', 'The surrogate pair in string is invalid. at 1'],
  ]) {
    test(`says of ${JSON.stringify(text)}: ${reason}`, () => {
      assert.equal(faultOf(text!), prefix + reason);
    });
  }
});
