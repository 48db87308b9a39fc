import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { JsonCursor } from '../../../src/protocol/json/json-cursor.ts';
import { skipArray } from '../../../src/protocol/json/json-span.ts';
import { type JsonDatatype, readTensorData } from '../../../src/protocol/json/tensor-data.ts';

function read(text: string, datatype: JsonDatatype, count: number): Uint8Array {
  const cursor = new JsonCursor(Buffer.from(text));
  const span = skipArray(cursor);
  assert.equal(span.end, cursor.at);
  return readTensorData(cursor.bytes, span, datatype, count);
}

function faultOf(text: string, datatype: JsonDatatype, count: number): string {
  try {
    read(text, datatype, count);
  } catch (fault) {
    assert.ok(fault instanceof SkeinError, String(fault));
    assert.equal(fault.kind, 'invalid');
    return fault.message;
  }
  return 'no fault';
}

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

const integers = [
  ['UINT8', 8, Uint8Array],
  ['UINT16', 16, Uint16Array],
  ['UINT32', 32, Uint32Array],
  ['INT8', 8, Int8Array],
  ['INT16', 16, Int16Array],
  ['INT32', 32, Int32Array],
] as const;

const wholeRange = (datatype: string, bits: number) =>
  datatype.startsWith('U') ? { min: 0, max: 2 ** bits - 1 } : { min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 };

describe('readTensorData', () => {
  for (const [datatype, bits, View] of integers) {
    const range = wholeRange(datatype, bits);
    test(`${datatype}: holds its range exactly and refuses the neighbours`, () => {
      fc.assert(
        fc.property(fc.array(fc.integer(range)), (values) => {
          const all = [range.min, range.max, ...values];
          assert.deepEqual(read(JSON.stringify(all), datatype, all.length), bytesOf(View.from(all)));
        }),
      );
      for (const value of [`${range.max + 1}`, ...(range.min < 0 ? [`${range.min - 1}`] : []), '9'.repeat(400)]) {
        const shown = value.slice(0, 40);
        const expected = `Unable to parse 'data': ${shown} is out of range for ${datatype}, which holds ${range.min} to ${range.max}`;
        assert.equal(faultOf(`[${value}]`, datatype, 1), expected);
      }
    });
  }

  for (const [datatype, min, max] of [
    ['INT64', -(2n ** 63n), 2n ** 63n - 1n],
    ['UINT64', 0n, 2n ** 64n - 1n],
  ] as const) {
    test(`${datatype}: is exact beyond 2 ** 53 and refuses what overflows`, () => {
      fc.assert(
        fc.property(fc.array(fc.oneof(fc.bigInt({ min, max }), fc.maxSafeNat().map(BigInt))), (values) => {
          const all = [min, max, 2n ** 53n + 1n, ...values];
          const expected = datatype === 'INT64' ? BigInt64Array.from(all) : BigUint64Array.from(all);
          assert.deepEqual(read(`[${all.join(',')}]`, datatype, all.length), bytesOf(expected));
        }),
      );
      for (const value of [max + 1n, BigInt('9'.repeat(30)), ...(min < 0n ? [min - 1n] : [])]) {
        const expected = `Unable to parse 'data': ${value} is out of range for ${datatype}, which holds ${min} to ${max}`;
        assert.equal(faultOf(`[${value}]`, datatype, 1), expected);
      }
    });
  }

  test('FP64: is the double that the text names', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (values) => {
        const text = `[${values.map((value) => (Object.is(value, -0) ? '-0' : String(value))).join(',')}]`;
        assert.deepEqual(read(text, 'FP64', values.length), bytesOf(Float64Array.from(values)));
      }),
    );
  });

  test('FP32: is the float nearest to the double; integers, NaN and infinities are floats too', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })), (values) => {
        const all = [7, 1e39, ...values];
        assert.deepEqual(read(JSON.stringify(all), 'FP32', all.length), bytesOf(Float32Array.from(all, (v) => v + 0)));
      }),
    );
    const named = Float32Array.of(Number.NaN, 1 / 0, -1 / 0);
    assert.deepEqual(read('[NaN,Infinity,-Infinity]', 'FP32', 3), bytesOf(named));
  });

  test('BOOL: takes true and false alone', () => {
    assert.deepEqual(read('[true,false, true ]', 'BOOL', 3), Uint8Array.of(1, 0, 1));
    const expected = "Unable to parse 'data': attempt to access JSON non-boolean as boolean";
    for (const value of ['1', '0', '"true"', 'null', '{}']) {
      assert.equal(faultOf(`[${value}]`, 'BOOL', 1), expected);
    }
  });

  test('BYTES: writes each string as its length and its UTF-8, however it is escaped', () => {
    const escaped = (text: string) => text.replace(/./gs, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.string({ unit: 'binary', maxLength: 120 }), fc.boolean())), (values) => {
        const strings = values.map(([text]) => text);
        const text = values.map(([value, escapeAll]) => (escapeAll ? `"${escaped(value)}"` : JSON.stringify(value)));
        assert.deepEqual(Buffer.from(read(`[${text.join(' , ')}]`, 'BYTES', strings.length)), elementsOf(strings));
      }),
    );
  });

  test('BYTES: moves bytes that are no UTF-8 as they are', () => {
    const text = Buffer.concat([Buffer.from('["'), Buffer.of(0xff, 0xfe), Buffer.from('"]')]);
    const bytes = readTensorData(text, { start: 0, end: text.length, depth: 0 }, 'BYTES', 1);
    assert.deepEqual([...bytes], [2, 0, 0, 0, 0xff, 0xfe]);
  });

  test('takes the values in any nesting and with any white space', () => {
    const nested = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof({ maxDepth: 6 }, fc.integer({ min: -9, max: 9 }), fc.array(tie('tree'), { maxLength: 4 })),
    }));
    fc.assert(
      fc.property(fc.array(nested.tree), fc.constantFrom('', ' ', '\t', '\n '), (tree, indent) => {
        const flat = (tree as number[]).flat(Number.POSITIVE_INFINITY) as number[];
        const text = JSON.stringify(tree, null, indent);
        assert.deepEqual(read(text, 'INT32', flat.length), bytesOf(Int32Array.from(flat)));
      }),
    );
  });

  test('refuses another number of values than the shape has', () => {
    const expected = (found: string, count: number) =>
      `Unable to parse 'data': Shape does not match true shape of 'data' field: it has ${found} elements than the ${count} of the shape`;
    fc.assert(
      fc.property(fc.array(fc.nat(9), { maxLength: 6 }), fc.nat(8), (values, count) => {
        const fault = faultOf(JSON.stringify([values]), 'INT8', count);
        assert.equal(
          fault,
          count === values.length ? 'no fault' : expected(values.length > count ? 'more' : 'fewer', count),
        );
      }),
    );
    // nothing is allocated for elements that the text cannot have
    assert.equal(faultOf('[1]', 'FP64', 2 ** 52), expected('fewer', 2 ** 52));
  });

  for (const [text, datatype, message] of [
    ['[1.0]', 'INT64', "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer"],
    ['[1e2]', 'INT8', "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer"],
    ['[true]', 'INT32', "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer"],
    ['["1"]', 'INT32', "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer"],
    ['[NaN]', 'INT16', "Unable to parse 'data': attempt to access JSON non-signed-integer as signed-integer"],
    ['[-1]', 'UINT8', "Unable to parse 'data': attempt to access JSON non-unsigned-integer as unsigned-integer"],
    ['[{}]', 'UINT64', "Unable to parse 'data': attempt to access JSON non-unsigned-integer as unsigned-integer"],
    ['[null]', 'FP32', "Unable to parse 'data': attempt to access JSON non-number as double"],
    ['["1"]', 'FP64', "Unable to parse 'data': attempt to access JSON non-number as double"],
    ['[1]', 'BYTES', 'Unable to parse JSON bytes array: attempt to access JSON non-string as string'],
    ['[1,]', 'FP32', 'failed to parse the request JSON buffer: Invalid value. at 3'],
    ['[,1]', 'FP32', 'failed to parse the request JSON buffer: Invalid value. at 1'],
    ['[[1],]', 'INT8', 'failed to parse the request JSON buffer: Invalid value. at 5'],
    ['[01 ]', 'INT8', "failed to parse the request JSON buffer: Missing a comma or ']' after an array element. at 2"],
    ['[1}]', 'INT8', "failed to parse the request JSON buffer: Missing a comma or ']' after an array element. at 2"],
    ['[abc]', 'BOOL', 'failed to parse the request JSON buffer: Invalid value. at 1'],
    ['["\\q"]', 'BYTES', 'failed to parse the request JSON buffer: Invalid escape character in string. at 2'],
  ] as const) {
    test(`says of ${text} as ${datatype}: ${message}`, () => {
      assert.equal(faultOf(text, datatype, 1), message);
    });
  }
});

function elementsOf(strings: readonly string[]): Buffer {
  return Buffer.concat(
    strings.flatMap((text) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(text));
      return [length, Buffer.from(text)];
    }),
  );
}
