import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { padLengths } from '../../../src/backends/host/pad-lengths.ts';
import { BodyKind } from '../../../src/protocol/link/infer-head.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { FakeModel } from './fake-model.ts';
import { serve, turns } from './served-copy.ts';

const numbers = (shape: readonly number[], values: readonly number[]): Tensor => {
  const bytes = new Uint8Array(Int16Array.from(values).buffer);
  return {
    name: 'x',
    datatype: 'INT16',
    shape,
    parts: [bytes.subarray(0, 3), bytes.subarray(3)],
    byteLength: bytes.length,
  };
};

const texts = (shape: readonly number[], values: readonly string[]): Tensor => {
  const all = Buffer.concat(values.map((text) => Buffer.from([text.length, 0, 0, 0, ...Buffer.from(text)])));
  return { name: 'x', datatype: 'BYTES', shape, parts: [all], byteLength: all.length };
};

const joined = ({ parts }: Tensor) => Buffer.concat(parts);

describe('padLengths', () => {
  test('pads to the longest in every dimension but the batch, with the first element of each', () => {
    const small = numbers([2, 1, 2], [1, 2, 3, 4]);
    const large = numbers([1, 2, 1], [7, 8]);
    const [a, b] = padLengths([small, large]);
    assert.deepEqual(
      [a!.shape, b!.shape],
      [
        [2, 2, 2],
        [1, 2, 2],
      ],
    );
    assert.deepEqual(joined(a!), joined(numbers([2, 2, 2], [1, 2, 1, 1, 3, 4, 1, 1])));
    assert.deepEqual(joined(b!), joined(numbers([1, 2, 2], [7, 7, 8, 7])));
    assert.equal(a!.byteLength, 16);
  });

  test('pads strings', () => {
    const [a, b] = padLengths([texts([1, 1], ['ab']), texts([1, 3], ['', 'c', 'def'])]);
    assert.deepEqual(joined(a!), joined(texts([1, 3], ['ab', 'ab', 'ab'])));
    assert.deepEqual(joined(b!), joined(texts([1, 3], ['', 'c', 'def'])));
  });

  test('leaves what is even as it came', () => {
    const all = [numbers([2, 2], [1, 2, 3, 4]), numbers([1, 2], [5, 6])];
    assert.equal(padLengths(all), all);
  });
});

describe('a copy of a model whose inputs are padded', () => {
  const free = (name: string) => ({ name, datatype: 'FP32', shape: [-1, -1] }) as const;
  const ask = async (padsLengths: boolean, requests: readonly (readonly number[])[]) => {
    const model = new FakeModel({
      signature: { inputs: [free('x')], outputs: [free('y')] },
      compute: ([x]) => [{ ...x!, name: 'y', parts: [Buffer.concat(x!.parts)] }],
      isQuick: true,
    });
    const { copy } = serve(model, { batching: { padsLengths } });
    const answers: { shape: number[]; data: number[] }[] = [];
    for (const [i, data] of requests.entries()) {
      const body = Buffer.from(JSON.stringify({ inputs: [{ ...free('x'), shape: [1, data.length], data }] }));
      copy.infer([body], { kind: BodyKind.v2, headerLength: undefined, signature: '' }, 0, {
        reply: ({ parts }) => {
          answers[i] = (JSON.parse(Buffer.concat(parts).toString()) as { outputs: (typeof answers)[number][] })
            .outputs[0]!;
        },
        fail: (error) => assert.fail(error),
        drop: () => assert.fail('dropped'),
      });
    }
    for (let n = 0; answers.filter(Boolean).length < requests.length && n < 100; n++) await turns();
    return { runs: model.runs.map(({ inputs }) => inputs[0]!.shape), answers: answers.map(({ data }) => data) };
  };

  test('runs requests of unequal lengths together', async () => {
    const { runs, answers } = await ask(true, [[1, 2, 3], [4]]);
    assert.deepEqual(runs, [[2, 3]]);
    assert.deepEqual(answers, [
      [1, 2, 3],
      [4, 4, 4],
    ]);
  });

  test('runs by itself what has nothing to pad with', async () => {
    const { runs } = await ask(true, [[1, 2], [], [3, 4]]);
    assert.deepEqual(runs.sort(), [
      [1, 0],
      [2, 2],
    ]);
  });

  test('runs them apart, as they are, where it is not asked for', async () => {
    const { runs, answers } = await ask(false, [[1, 2, 3], [4]]);
    assert.deepEqual(runs.sort(), [
      [1, 1],
      [1, 3],
    ]);
    assert.deepEqual(answers, [[1, 2, 3], [4]]);
  });
});
