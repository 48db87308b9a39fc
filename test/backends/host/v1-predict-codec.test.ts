import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { ask } from './answers.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';
import { serve } from './served-copy.ts';

const echoing = () =>
  serve(new FakeModel({ signature: echoSignature, compute: echo, isQuick: true }), { maxBatchSize: 2 });

/** Twice what came in, rows or no rows. */
function doubling(shape: readonly number[], maxBatchSize: number, hints = {}) {
  const compute = ([x]: readonly Tensor[]): Tensor[] => {
    const bytes = Buffer.concat(x!.parts);
    const doubled = Buffer.from(bytes);
    for (let at = 0; at < bytes.length; at += 4) doubled.writeFloatLE(2 * bytes.readFloatLE(at), at);
    return [{ ...x!, name: 'y', parts: [doubled] }];
  };
  const signature = {
    inputs: [{ name: 'x', datatype: 'FP32', shape } as const],
    outputs: [{ name: 'y', datatype: 'FP32', shape } as const],
    ...hints,
  };
  return serve(new FakeModel({ signature, compute, isQuick: true }), { maxBatchSize }).copy;
}

describe('v1PredictCodec', () => {
  test('answers rows with rows and columns with columns', async () => {
    const { copy } = echoing();
    const rows = await ask(
      copy,
      'v1Predict',
      '{"instances": [{"x": [1, 2], "name": ["a"]}, {"x": [3, 4], "name": ["b"]}]}',
    );
    assert.deepEqual(JSON.parse(rows.toString()), {
      predictions: [
        { y: [1, 2], label: ['a'] },
        { y: [3, 4], label: ['b'] },
      ],
    });
    const columns = await ask(copy, 'v1Predict', '{"inputs": {"x": [[1, 2]], "name": [["a"]]}}');
    assert.deepEqual(JSON.parse(columns.toString()), { outputs: { y: [[1, 2]], label: [['a']] } });
  });

  test('takes more rows than are joined', async () => {
    const answer = await ask(doubling([-1], 2), 'v1Predict', '{"instances": [1, 2, 3, 4, 5]}');
    assert.deepEqual(JSON.parse(answer.toString()), { predictions: [2, 4, 6, 8, 10] });
  });

  test('leaves shapes that are hints to the model where they are one value a row: other ones, scalars, no rows', async () => {
    const answers = await Promise.all(
      [
        '{"instances": [1.0, 2.0, 5.0]}',
        '{"instances": [[1.0], [2.0]]}',
        '{"instances": [[1.0, 2.0], [3.0, 4.0]]}',
        '{"inputs": 3.0}',
        '{"inputs": []}',
      ].map((body) => ask(doubling([-1, 1], 8, { shapesAreHints: true }), 'v1Predict', body)),
    );
    assert.deepEqual(
      answers.map((answer) => JSON.parse(answer.toString())),
      [
        { predictions: [2, 4, 10] },
        { predictions: [[2], [4]] },
        {
          predictions: [
            [2, 4],
            [6, 8],
          ],
        },
        { outputs: 6 },
        { outputs: [] },
      ],
    );
    for (const binding of [doubling([-1, 1], 8), doubling([-1, 2], 8, { shapesAreHints: true })]) {
      await assert.rejects(ask(binding, 'v1Predict', '{"instances": [1.0, 2.0, 5.0]}'), { code: 'input_shape' });
    }
  });

  test('joins requests of one shape that is not the declared one', async () => {
    const copy = doubling([-1, 1], 8, { shapesAreHints: true });
    const answers = await Promise.all([1, 2, 3].map((x) => ask(copy, 'v1Predict', `{"instances": [${x}]}`)));
    assert.deepEqual(
      answers.map((answer) => JSON.parse(answer.toString()).predictions),
      [[2], [4], [6]],
    );
  });

  test('gives the model scalars where it takes them', async () => {
    assert.deepEqual(JSON.parse((await ask(doubling([], 0), 'v1Predict', '{"inputs": 4}')).toString()), { outputs: 8 });
  });

  test('runs the signature that is named', async () => {
    const { copy } = echoing();
    const named = '{"signature_name": "serving_default", "inputs": {"x": [[1, 2]], "name": [["a"]]}}';
    assert.ok((await ask(copy, 'v1Predict', named)).length > 0);
    await assert.rejects(ask(copy, 'v1Predict', '{"signature_name": "other", "instances": [1]}'), {
      code: 'signature_unknown',
    });
  });

  test('refuses shapes that the model does not take', async () => {
    await assert.rejects(ask(doubling([-1, 2], 4), 'v1Predict', '{"instances": [[1, 2, 3]]}'), { code: 'input_shape' });
  });
});
