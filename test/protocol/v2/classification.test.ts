import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { classify, fixedText } from '../../../src/protocol/v2/classification.ts';

const labels = Array.from({ length: 10 }, (_, i) => `label${i}`);

function tensor(datatype: Datatype, shape: number[], values: { buffer: ArrayBufferLike; byteLength: number }): Tensor {
  return { name: 'OUTPUT0', datatype, shape, parts: [new Uint8Array(values.buffer)], byteLength: values.byteLength };
}

function stringsOf({ parts }: Tensor): string[] {
  const bytes = Buffer.concat(parts);
  const strings: string[] = [];
  for (let at = 0; at < bytes.length; at += 4 + bytes.readUInt32LE(at)) {
    strings.push(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at)));
  }
  return strings;
}

const scores = Float32Array.of(0.1, 5, 3.3, 2, 9.25, 0.001, 7, 8, 1, 1, 1, 1, 1, 1, 100, 1);

describe('classify', () => {
  test('names the largest values with index and label, and is a tensor of strings', () => {
    const classes = classify(tensor('FP32', [1, 16], scores), 3, labels, true);
    assert.deepEqual([classes.name, classes.datatype, classes.shape], ['OUTPUT0', 'BYTES', [1, 3]]);
    assert.deepEqual(stringsOf(classes), ['100.000000:14', '9.250000:4:label4', '8.000000:7:label7']);
    assert.equal(classes.byteLength, Buffer.concat(classes.parts).length);
  });

  test('keeps equal values in the order of their indices, and stops at the number of elements', () => {
    const classes = classify(tensor('FP32', [1, 16], scores), 200, labels, true);
    assert.deepEqual(classes.shape, [1, 16]);
    assert.equal(
      stringsOf(classes).join(' '),
      '100.000000:14 9.250000:4:label4 8.000000:7:label7 7.000000:6:label6 5.000000:1:label1 3.300000:2:label2 2.000000:3:label3 1.000000:8:label8 1.000000:9:label9 1.000000:10 1.000000:11 1.000000:12 1.000000:13 1.000000:15 0.100000:0:label0 0.001000:5:label5',
    );
  });

  test('sorts each row of a batch, and the whole tensor where there is none', () => {
    const rows = Float32Array.from([...Array(16).keys(), ...[...Array(16).keys()].reverse()]);
    const batched = classify(tensor('FP32', [2, 16], rows), 2, labels, true);
    assert.deepEqual(
      [batched.shape, stringsOf(batched)],
      [
        [2, 2],
        ['15.000000:15', '14.000000:14', '15.000000:0:label0', '14.000000:1:label1'],
      ],
    );
    const whole = classify(tensor('FP32', [2, 16], rows), 2, [], false);
    assert.deepEqual([whole.shape, stringsOf(whole)], [[2], ['15.000000:15', '15.000000:16']]);
  });

  test('writes integers as integers', () => {
    assert.deepEqual(stringsOf(classify(tensor('INT32', [1, 2], Int32Array.of(15, 16)), 2, [], true)), [
      '16:1',
      '15:0',
    ]);
    const large = classify(tensor('INT64', [2], BigInt64Array.of(2n ** 62n, 2n ** 62n + 1n)), 1, [], false);
    assert.deepEqual(stringsOf(large), ['4611686018427387905:1']);
  });

  test('answers no row with none, and refuses what has no order', () => {
    const none = classify(tensor('FP32', [0, 16], new Float32Array(0)), 3, labels, true);
    assert.deepEqual([none.shape, none.byteLength], [[0, 0], 0]);
    for (const datatype of ['BYTES', 'FP16', 'BF16', 'BOOL'] as const) {
      assert.throws(() => classify(tensor(datatype, [0], new Uint8Array(0)), 1, [], false), {
        message: `class result not available for output due to unsupported type '${datatype}'`,
      });
    }
  });

  test('gives the same order whether it keeps a few or sorts all', () => {
    const values = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.constant(Number.NaN)), {
      minLength: 130,
      maxLength: 160,
    });
    fc.assert(
      fc.property(values, (numbers) => {
        const all = tensor('FP64', [numbers.length], Float64Array.from(numbers));
        const few = stringsOf(classify(all, 100, [], false));
        const many = stringsOf(classify(all, 1000, [], false));
        assert.deepEqual(few, many.slice(0, 100));
        assert.deepEqual(new Set(many).size, numbers.length);
        const order = numbers
          .map((value, i) => ({ value, i }))
          .sort(({ value: a, i }, { value: b, i: j }) =>
            Number.isNaN(a) || Number.isNaN(b)
              ? Number(Number.isNaN(a)) - Number(Number.isNaN(b)) || i - j
              : b - a || i - j,
          );
        assert.deepEqual(
          many,
          order.map(({ value, i }) => `${fixedText(value)}:${i}`),
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe('fixedText', () => {
  test('prints what "%f" prints', () => {
    const expected: [number, string][] = [
      [0, '0.000000'],
      [-0, '-0.000000'],
      [1 / 3, '0.333333'],
      [-1e-9, '-0.000000'],
      [1 / 128, '0.007812'],
      [3 / 128, '0.023438'],
      [-1 / 128, '-0.007812'],
      [100 + 5 / 128, '100.039062'],
      [0.0000005, '0.000000'],
      [3.4028234663852886e38, '340282346638528859811704183484516925440.000000'],
      [Number.NaN, 'nan'],
      [1 / 0, 'inf'],
      [-1 / 0, '-inf'],
    ];
    for (const [value, text] of expected) assert.equal(fixedText(value), text);
  });
});
