import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { findModelSpec } from '../../../src/protocol/tfserving/find-spec.ts';
import { message, multiInferenceRequest, predictRequest, writeSpec } from './sent-messages.ts';

const bytes = new Uint8Array(100_000);
const tensor = { name: 'x', datatype: 'FP32', shape: [25_000], parts: [bytes], byteLength: bytes.length } as const;

describe('findModelSpec', () => {
  test('finds it in the first bytes that hold it', () => {
    const request = predictRequest([tensor], { name: 'model', version: 3, signature: 's' });
    const held = message((writer) =>
      writer.message(1, (spec) => writeSpec(spec, { name: 'model', version: 3, signature: 's' })),
    );
    for (let end = 0; end < held.length; end++) {
      assert.equal(findModelSpec([request.subarray(0, 1), request.subarray(1, end)], false, 'request'), undefined);
    }
    const found = findModelSpec([request.subarray(0, 5), request.subarray(5, held.length)], false, 'request');
    assert.deepEqual(found, { name: 'model', version: 3n, versionLabel: undefined, signatureName: 's' });
  });

  test('finds it behind everything else once the message is whole', () => {
    const tensors = predictRequest([tensor], { name: 'first' });
    const request = message((writer) => {
      writer.bytes(3, [Buffer.from('y')]);
      writer.message(1, (spec) => writeSpec(spec, { name: 'last', label: 'stable' }));
    });
    assert.equal(findModelSpec([request], false, 'request'), undefined);
    assert.equal(findModelSpec([request], true, 'request')?.versionLabel, 'stable');
    assert.equal(findModelSpec([tensors], true, 'request')?.name, 'first');
  });

  test('finds it in the first task of several', () => {
    const request = multiInferenceRequest([{ spec: { name: 'm' }, method: 'tensorflow/serving/classify' }], []);
    assert.equal(findModelSpec([request], false, 'first task')?.name, 'm');
  });

  test('refuses a whole message without one', () => {
    for (const request of [Buffer.alloc(0), message((writer) => writer.string(3, 'y'))]) {
      assert.throws(() => findModelSpec([request], true, 'request'), { message: 'Missing ModelSpec' });
    }
    assert.throws(() => findModelSpec([Buffer.from([0x0a, 0x05])], true, 'request'), { code: 'protobuf_malformed' });
  });
});
