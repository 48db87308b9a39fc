import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { SignatureMethod } from '../../../src/protocol/tensors/named-signature.ts';
import type { Signature, Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { readMultiInferenceResponse, readResultResponse } from '../../protocol/tfserving/read-answers.ts';
import { examplesRequest, floats, multiInferenceRequest, strings } from '../../protocol/tfserving/sent-messages.ts';
import { ask } from './answers.ts';
import { FakeModel } from './fake-model.ts';
import { serve } from './served-copy.ts';

const real = (name: string, shape: readonly number[], values: readonly number[]): Tensor => {
  const bytes = new Uint8Array(Float32Array.from(values).buffer);
  return { name, datatype: 'FP32', shape, parts: [bytes], byteLength: bytes.byteLength };
};

/** Of two numbers in `x`: their order as scores, their sum. */
const scoring: Signature = {
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 2] }],
  outputs: [{ name: 'scores', datatype: 'FP32', shape: [-1, 2] }],
};
const summing: Signature = { ...scoring, outputs: [{ name: 'sum', datatype: 'FP32', shape: [-1, 1] }] };

function compute(inputs: readonly Tensor[], [wanted]: readonly string[]): Tensor[] {
  const bytes = Buffer.concat(inputs[0]!.parts);
  const values = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
  const rows = values.length / 2;
  if (wanted === 'scores') return [real('scores', [rows, 2], values)];
  return [
    real(
      'sum',
      [rows, 1],
      Array.from({ length: rows }, (_, i) => values[2 * i]! + values[2 * i + 1]!),
    ),
  ];
}

const named = (signature: Signature, name: string, method: SignatureMethod = 'predict') => ({
  ...signature,
  name,
  method,
});
const signatures = new Map([
  ['serving_default', named(scoring, 'serving_default')],
  ['sums', named(summing, 'sums')],
]);
const { copy } = serve(new FakeModel({ signature: signatures, compute, isQuick: true }));
const example = (...values: number[]) => new Map([['x', floats(...values)]]);

describe('tfClassifyCodec', () => {
  test('reads features as the inputs of their names, and outputs as scores', async () => {
    const answer = await ask(copy, 'tfClassify', examplesRequest([example(1, 2), example(0, 4)]));
    assert.deepEqual(readResultResponse(answer, 'classify'), {
      classes: [
        [
          ['', 1],
          ['', 2],
        ],
        [
          ['', 0],
          ['', 4],
        ],
      ],
    });
  });

  test('puts the context into each example', async () => {
    const answer = await ask(copy, 'tfClassify', examplesRequest([new Map()], {}, example(5, 6)));
    assert.deepEqual(readResultResponse(answer, 'classify').classes?.[0]?.[1], ['', 6]);
  });

  test('gives a model that parses examples itself what was sent', async () => {
    const request = examplesRequest([new Map([['any', strings('text')]]), new Map()]);
    const parsing: Signature = {
      inputs: [{ name: 'inputs', datatype: 'BYTES', shape: [-1] }],
      outputs: [{ name: 'classes', datatype: 'BYTES', shape: [-1, -1] }],
    };
    const echoing = ([sent]: readonly Tensor[]): Tensor[] => {
      const bytes = Buffer.concat(sent!.parts);
      return [
        { name: 'classes', datatype: 'BYTES', shape: [sent!.shape[0]!, 1], parts: [bytes], byteLength: bytes.length },
      ];
    };
    const model = serve(new FakeModel({ signature: parsing, compute: echoing, isQuick: true }));
    const { classes } = readResultResponse(await ask(model.copy, 'tfClassify', request), 'classify');
    assert.equal(classes?.length, 2);
    assert.match(classes?.[0]?.[0]?.[0] ?? '', /any.*text/s);
    assert.deepEqual(classes?.[1], [['\n\0', 0]]); // an example without features
  });

  const refusals: [title: string, body: Buffer, text: RegExp][] = [
    ['no examples', examplesRequest([]), /^Input is empty\.$/],
    ['a feature that is missing', examplesRequest([new Map()]), /Feature: x \(data type: float\) is required/],
    [
      'a feature of another type',
      examplesRequest([new Map([['x', strings('a', 'b')]])]),
      /Key: x, Index: 0\. {2}Data types don't match\. Expected type: float/,
    ],
    [
      'a feature of another size',
      examplesRequest([example(1, 2), example(1)]),
      /Key: x, Index: 1\. {2}Number of float values != expected\. {2}values size: 1 but output shape: \[2\]/,
    ],
    [
      'a signature whose output is no list of classes',
      examplesRequest([example(1, 2)], { signature: 'none' }),
      /signature 'none' is not found/,
    ],
  ];
  for (const [title, body, text] of refusals) {
    test(`refuses ${title}`, async () => {
      await assert.rejects(ask(copy, 'tfClassify', body), { message: text });
    });
  }
});

describe('tfRegressCodec', () => {
  test('answers one value for each example', async () => {
    const request = examplesRequest([example(1, 2), example(0, 4)], { signature: 'sums' });
    assert.deepEqual(readResultResponse(await ask(copy, 'tfRegress', request), 'regress'), { values: [3, 4] });
  });

  test('refuses outputs that are no values', async () => {
    await assert.rejects(ask(copy, 'tfRegress', examplesRequest([example(1, 2)])), {
      message: 'Expected output Tensor shape to be either [batch_size] or [batch_size, 1] but got [1,2]',
    });
  });
});

describe('tfMultiInferenceCodec', () => {
  const classify = { spec: {}, method: 'tensorflow/serving/classify' };
  const regress = { spec: { signature: 'sums' }, method: 'tensorflow/serving/regress' };

  test('answers each task in its place', async () => {
    const both = await ask(copy, 'tfMultiInference', multiInferenceRequest([regress, classify], [example(1, 2)]));
    assert.deepEqual(readMultiInferenceResponse(both), [
      { values: [3] },
      {
        classes: [
          [
            ['', 1],
            ['', 2],
          ],
        ],
      },
    ]);
  });

  test('answers no tasks with no results', async () => {
    assert.equal((await ask(copy, 'tfMultiInference', multiInferenceRequest([], [example(1, 2)]))).length, 0);
  });

  const refusals: [title: string, tasks: Parameters<typeof multiInferenceRequest>[0], text: string][] = [
    ['the same signature twice', [classify, classify], 'Duplicate evaluation of signature: serving_default'],
    [
      'several models',
      [classify, { ...regress, spec: { name: 'other', signature: 'sums' } }],
      'All ModelSpecs in a MultiInferenceRequest must access the same model name.',
    ],
    ['a method that it does not have', [{ spec: {}, method: 'x' }], 'Unsupported signature method_name: x'],
  ];
  for (const [title, tasks, text] of refusals) {
    test(`refuses ${title}`, async () => {
      await assert.rejects(ask(copy, 'tfMultiInference', multiInferenceRequest(tasks, [example(1, 2)])), {
        message: text,
      });
    });
  }

  test('fails as a whole where one task does', async () => {
    const wrong = { spec: {}, method: 'tensorflow/serving/regress' };
    const other = { spec: { signature: 'sums' }, method: 'tensorflow/serving/regress' };
    const request = multiInferenceRequest([other, wrong], [example(1, 2)]);
    await assert.rejects(ask(copy, 'tfMultiInference', request), /Expected output Tensor shape/);
    assert.equal(copy.inFlight, 0);
  });
});
