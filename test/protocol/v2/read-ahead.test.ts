import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import type { RequestSchema } from '../../../src/protocol/v2/infer-request.ts';
import { readAhead } from '../../../src/protocol/v2/read-ahead.ts';

const count = 20_000;
const schema: RequestSchema = {
  model: 'm',
  maxBatchSize: 0,
  signature: {
    inputs: [
      { name: 'A', datatype: 'FP32', shape: [-1] },
      { name: 'B', datatype: 'INT64', shape: [-1, -1], optional: true },
    ],
    outputs: [{ name: 'Y', datatype: 'FP32', shape: [-1], optional: false }],
  },
};

const reals = Array.from({ length: count }, (_, i) => i / 7);
const rows = Array.from({ length: 100 }, (_, row) => Array.from({ length: 200 }, (_, i) => row * i * 1_000_003));
const a = { name: 'A', datatype: 'FP32', shape: [count], data: reals };
const b = { name: 'B', datatype: 'INT64', shape: [100, 200], data: rows };
const say = (...inputs: unknown[]) => JSON.stringify({ id: 'x', inputs, outputs: [{ name: 'Y' }] });

const requests: Record<string, string> = {
  'one flat array': say(a),
  'nested ones, and several': say(a, b),
  'arrays before their datatype': say({ data: reals, shape: [count], datatype: 'FP32', name: 'A' }),
  'small arrays': say({ ...a, shape: [2], data: [1, 2] }),
  'a number that is none': say(a).replace('1.2857142857142858', '1.28.5'),
  'a word among numbers': say(a).replace('1.2857142857142858', '"one"'),
  'fewer than the shape says': say({ ...a, shape: [count + 1] }),
  'more than the shape says': say({ ...a, shape: [count - 1] }),
  'the second one wrong': say(a, { ...b, data: [...rows.slice(1), [1, 2]] }),
  'both wrong': say({ ...a, shape: [1] }, { ...b, shape: [1, 1] }),
  'an integer beyond its type': say({ ...b, data: rows.map((row) => [...row.slice(1), 1e30]) }),
  'a datatype that is none': say({ ...a, datatype: 'FP33' }),
  'a datatype that JSON cannot carry': say({ ...a, datatype: 'FP16' }),
  'a shape that is none': say({ ...a, shape: ['x'] }),
  'no shape': say({ ...a, shape: undefined }),
  'data twice': say(a).replace('"data":', '"data":[7],"data":'),
  'an input that the model does not have': say({ ...a, name: 'Z' }),
  'no inputs': JSON.stringify({ padding: reals }),
  'inputs that are no list': JSON.stringify({ inputs: { padding: reals } }),
};

function outcome(decode: () => unknown): unknown {
  try {
    return decode();
  } catch (fault) {
    const { code, facts } = SkeinError.from(fault);
    return { code, facts };
  }
}

describe('readAhead', () => {
  for (const [name, request] of Object.entries(requests)) {
    test(`leaves a request with the same meaning: ${name}`, () => {
      const whole = outcome(() => decodeInferRequest([Buffer.from(request)], undefined, schema));
      const { text, arrays } = readAhead(Buffer.from(request));
      const parted = outcome(() => decodeInferRequest([text], undefined, schema, arrays));
      assert.deepEqual(parted, whole);
    });
  }

  test('cuts out what is large, and only that', () => {
    const { text, arrays } = readAhead(Buffer.from(say(a, { ...b, shape: [1, 2], data: [1, 2] })));
    assert.equal(arrays.length, 1);
    assert.ok(text.byteLength < 300);
  });

  test('throws for what is no JSON', () => {
    assert.throws(() => readAhead(Buffer.from(`${say(a)}]`)), { code: 'json_malformed' });
  });
});
