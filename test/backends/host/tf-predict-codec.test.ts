import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { readPredictResponse } from '../../protocol/tfserving/read-answers.ts';
import { message, predictRequest } from '../../protocol/tfserving/sent-messages.ts';
import { ask } from './answers.ts';
import { echo, echoSignature, FakeModel } from './fake-model.ts';
import { serve } from './served-copy.ts';

const { copy } = serve(new FakeModel({ signature: echoSignature, compute: echo, isQuick: true }));

function tensor(name: string, datatype: Tensor['datatype'], shape: readonly number[], bytes: Uint8Array): Tensor {
  return { name, datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
}
const x = tensor('x', 'FP32', [1, 2], new Uint8Array(Float32Array.of(1, 2).buffer));
const name = tensor('name', 'BYTES', [1, 1], Buffer.from('\x02\0\0\0hi', 'latin1'));

describe('tfPredictCodec', () => {
  test('answers all outputs, and which model and signature ran', async () => {
    const { outputs, spec } = readPredictResponse(await ask(copy, 'tfPredict', predictRequest([name, x])));
    assert.deepEqual([...outputs.keys()], ['y', 'label']);
    assert.deepEqual(outputs.get('y'), { shape: [1, 2], bytes: Buffer.concat(x.parts) });
    assert.deepEqual(outputs.get('label'), { shape: [1, 1], bytes: Buffer.concat(name.parts) });
    assert.deepEqual(
      { ...spec },
      { name: 'm', version: 1n, versionLabel: undefined, signatureName: 'serving_default' },
    );
  });

  test('answers only the outputs that are asked for', async () => {
    const { outputs } = readPredictResponse(await ask(copy, 'tfPredict', predictRequest([x, name], {}, ['label'])));
    assert.deepEqual([...outputs.keys()], ['label']);
  });

  test('shares no run with a request that wants the outputs in another order', async () => {
    const classified = JSON.stringify({
      inputs: [
        { name: 'x', datatype: 'FP32', shape: [1, 2], data: [3, 4] },
        { name: 'name', datatype: 'BYTES', shape: [1, 1], data: ['me'] },
      ],
      outputs: [{ name: 'y', parameters: { classification: 1 } }, { name: 'label' }],
    });
    const asked = [
      ask(copy, 'tfPredict', predictRequest([x, name], {}, ['label', 'y'])),
      ask(copy, 'v2', classified),
    ] as const;
    const [predicted, answer] = await Promise.all(asked);
    assert.deepEqual([...readPredictResponse(predicted).outputs.keys()], ['label', 'y']);
    const { outputs } = JSON.parse(answer.toString()) as { outputs: { name: string; data: string[] }[] };
    assert.deepEqual(
      outputs.map(({ name: output, data }) => [output, data]),
      [
        ['y', ['4.000000:1']],
        ['label', ['me']],
      ],
    );
  });

  const refusals: [title: string, body: Buffer, text: string | RegExp][] = [
    [
      'an input that is missing',
      predictRequest([x]),
      'input size does not match signature: 1!=2 len({x}) != len({name,x}). Sent extra: {}. Missing but required: {name}.',
    ],
    [
      'an input of another name',
      predictRequest([x, { ...name, name: 'other' }]),
      'Signature input alias: name(feed name: name) not found in request and no default value provided. Inputs expected to be in the request {other,x}, or default input alias set: ',
    ],
    [
      'an output that is not there',
      predictRequest([x, name], {}, ['z']),
      'output tensor alias not found in signature: z Outputs expected to be in the set {label,y}.',
    ],
    ['an output named twice', predictRequest([x, name], {}, ['y', 'y']), 'duplicate output tensor alias: y'],
    [
      'a signature that is not there',
      predictRequest([x, name], { signature: 'other' }),
      /signature 'other' is not found/,
    ],
    ['a datatype that is not the model’s', predictRequest([{ ...x, datatype: 'INT32' }, name]), /data-type is 'INT32'/],
    ['what is no message', Buffer.from([0x0a, 0xff]), /not well-formed protobuf/],
    [
      'options of streams',
      message((writer) => writer.message(5, () => {})),
      /predict_streamed_options is not supported/,
    ],
  ];
  for (const [title, body, text] of refusals) {
    test(`refuses ${title}`, async () => {
      await assert.rejects(ask(copy, 'tfPredict', body), { message: text });
    });
  }
});
