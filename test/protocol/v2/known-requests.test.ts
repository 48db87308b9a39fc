import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import type { RequestSchema } from '../../../src/protocol/v2/infer-request.ts';

const schema: RequestSchema = {
  model: 'm',
  maxBatchSize: 8,
  signature: {
    inputs: [
      { name: 'a', datatype: 'INT32', shape: [-1, 2] },
      { name: 'b', datatype: 'INT32', shape: [-1, 1] },
    ],
    outputs: [{ name: 'c', datatype: 'INT32', shape: [-1, 2] }],
  },
};

function input(name: string, columns: number) {
  const parameters = { binary_data_size: 4 * columns };
  return { name, datatype: 'INT32', shape: [1, columns], parameters };
}

function decode(inputs: readonly object[], values: readonly number[], more: object = {}, of = schema) {
  const header = Buffer.from(JSON.stringify({ inputs, parameters: { priority: 2 }, ...more }));
  const { inputs: found, ...rest } = decodeInferRequest(
    [Buffer.concat([header, Buffer.from(Int32Array.from(values).buffer)])],
    header.length,
    of,
  );
  const tensors = found.map(({ parts, ...facts }) => {
    const bytes = new Uint8Array(Buffer.concat(parts));
    return { ...facts, values: [...new Int32Array(bytes.buffer)] };
  });
  return { ...rest, tensors };
}

const codeOf = (fault: unknown) => (fault instanceof SkeinError ? fault.code : undefined);

describe('a request whose JSON part came before', () => {
  const usual = [input('a', 2), input('b', 1)];

  test('has its own values, and else what the first one had', () => {
    const first = decode(usual, [1, 2, 3]);
    const second = decode(usual, [4, 5, 6]);
    assert.deepEqual(
      second.tensors.map(({ values }) => values),
      [[4, 5], [6]],
    );
    const withoutValues = ({ tensors, ...rest }: typeof first) => [
      rest,
      tensors.map((one) => ({ ...one, values: [] })),
    ];
    assert.deepEqual(withoutValues(second), withoutValues(first));
  });

  test('is held to its bytes', () => {
    for (const values of [[1, 2], [1, 2, 3, 4], []]) {
      assert.throws(
        () => decode(usual, values),
        (fault) => codeOf(fault) === (values.length > 3 ? 'binary_too_long' : 'binary_too_short'),
      );
    }
  });

  test('is read in the order of the model, whatever the order of the client', () => {
    for (const values of [
      [1, 2, 3],
      [4, 5, 6],
    ]) {
      const { tensors } = decode([...usual].reverse(), values);
      assert.deepEqual(
        tensors.map((one) => one.values),
        [values.slice(1), values.slice(0, 1)],
      );
    }
  });

  test('keeps its id', () => {
    assert.deepEqual(
      ['one', 'two', 'one'].map((id) => decode(usual, [1, 2, 3], { id }).id),
      ['one', 'two', 'one'],
    );
  });

  test('is another one for another model', () => {
    const strict = { ...schema, signature: { ...schema.signature, inputs: schema.signature.inputs.slice(0, 1) } };
    decode(usual, [1, 2, 3]);
    assert.throws(
      () => decode(usual, [1, 2, 3], {}, strict),
      (fault) => codeOf(fault) === 'input_count',
    );
  });

  test('is found among those of other clients, however many there are', () => {
    for (let round = 0; round < 2; round++) {
      for (let priority = 0; priority < 7; priority++) {
        assert.equal(decode(usual, [1, 2, 3], { parameters: { priority } }).parameters.priority, priority);
      }
    }
  });
});
