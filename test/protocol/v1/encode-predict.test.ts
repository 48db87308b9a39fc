import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { decodePredict, type PredictForm } from '../../../src/protocol/v1/decode-predict.ts';
import { encodePredict } from '../../../src/protocol/v1/encode-predict.ts';
import { contents, jsonTensor, specOf } from './predict-round-trip.ts';

const text = (outputs: readonly Tensor[], form: PredictForm) =>
  Buffer.concat(encodePredict(outputs, form).parts).toString();

function tensor(name: string, datatype: Datatype, shape: readonly number[], bytes: Uint8Array): Tensor {
  return { name, datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
}
const floats = (name: string, shape: readonly number[], values: readonly number[]) =>
  tensor(name, 'FP32', shape, new Uint8Array(Float32Array.from(values).buffer));
const string = (value: string) => Buffer.concat([Uint8Array.of(value.length, 0, 0, 0), Buffer.from(value)]);

describe('encodePredict', () => {
  // laid out as RapidJSON's PrettyWriter does, the closing bracket of `predictions` included
  test('writes one number for each row of one output', () => {
    assert.equal(text([floats('y', [3], [2.5, 3, 4.5])], 'row'), '{\n    "predictions": [2.5, 3.0, 4.5\n    ]\n}');
  });

  test('writes lists for rows with dimensions of their own', () => {
    assert.equal(
      text([floats('y', [2, 2], [1, 2, 3, 4])], 'row'),
      '{\n    "predictions": [[1.0, 2.0], [3.0, 4.0]\n    ]\n}',
    );
  });

  test('writes an object for each row of several outputs', () => {
    const outputs = [floats('a', [2], [1, 2]), floats('b', [2, 2], [1, 2, 3, 4])];
    assert.equal(
      text(outputs, 'row'),
      `{
    "predictions": [
        {
            "a": 1.0,
            "b": [1.0, 2.0]
        },
        {
            "a": 2.0,
            "b": [3.0, 4.0]
        }
    ]
}`,
    );
  });

  test('writes columns with a line for each number', () => {
    assert.equal(
      text([floats('y', [2, 1], [1, 2])], 'column'),
      '{\n    "outputs": [\n        [\n            1.0\n        ],\n        [\n            2.0\n        ]\n    ]\n}',
    );
    assert.equal(text([floats('y', [], [7])], 'column'), '{\n    "outputs": 7.0\n}');
  });

  test('writes outputs whose name ends in _bytes in base64', () => {
    const outputs = [tensor('image_bytes', 'BYTES', [1], string('hi'))];
    assert.deepEqual(JSON.parse(text(outputs, 'row')), { predictions: [{ b64: 'aGk=' }] });
  });

  test('refuses rows of outputs that do not share a first dimension', () => {
    assert.throws(() => text([floats('a', [], [1])], 'row'), { code: 'v1_output_scalar' });
    assert.throws(() => text([floats('a', [1], [1]), floats('b', [2], [1, 2])], 'row'), {
      message: 'Tensor name: b has inconsistent batch size: 2 expecting: 1',
    });
  });

  test('refuses half floats, which this JSON does not have', () => {
    assert.throws(() => text([tensor('h', 'FP16', [1], new Uint8Array(2))], 'row'), {
      message: 'Failed to write JSON value for tensor type: half',
    });
  });

  test('writes columns that decodePredict reads as the same tensors', () => {
    const tensors = fc.tuple(jsonTensor('a'), jsonTensor('b_bytes'));
    fc.assert(fc.property(tensors, (given) => assert.deepEqual(throughJson(given, 'column'), given.map(contents))));
  });

  test('writes rows that decodePredict reads as the same tensors', () => {
    const tensors = fc
      .integer({ min: 1, max: 4 })
      .chain((rows) => fc.tuple(jsonTensor('a', rows), jsonTensor('b', rows)));
    fc.assert(fc.property(tensors, (given) => assert.deepEqual(throughJson(given, 'row'), given.map(contents))));
    const one = fc.integer({ min: 1, max: 4 }).chain((rows) => jsonTensor('a_bytes', rows));
    fc.assert(fc.property(one, (given) => assert.deepEqual(throughJson([given], 'row'), [contents(given)])));
  });
});

/** The answer of a model that gives its inputs back, sent as the next request. */
function throughJson(tensors: readonly Tensor[], form: PredictForm) {
  const body = text(tensors, form)
    .replace(/^\{\n {4}"predictions"/, '{"instances"')
    .replace(/^\{\n {4}"outputs"/, '{"inputs"');
  const decoded = decodePredict(Buffer.from(body), () => tensors.map(specOf));
  assert.equal(decoded.form, form);
  return decoded.tensors.map(contents);
}
