import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { ProtoMessage } from '../../../examples/models/onnx-writer/wire.ts';
import { BodyKind } from '../../../src/protocol/link/infer-head.ts';
import { maskedCrc, readWarmupLog } from '../../../src/protocol/tfserving/warmup-log.ts';
import { tfRecords } from '../../fixtures/tf-records.ts';

const request = Buffer.from('some request');

/** A PredictionLog whose log of this field has the request. */
function log(field: number): Buffer {
  return new ProtoMessage()
    .message(1, new ProtoMessage())
    .message(field, new ProtoMessage().bytes(1, request))
    .encode();
}

describe('readWarmupLog', () => {
  test('reads requests of every method, and leaves out those that cannot be sent', () => {
    const found = readWarmupLog(tfRecords([log(6), log(2), log(5), log(3), log(4)]));
    const { tfPredict, tfClassify, tfRegress, tfMultiInference } = BodyKind;
    assert.deepEqual(
      found.map(({ kind }) => kind),
      [tfPredict, tfClassify, tfRegress, tfMultiInference],
    );
    for (const { body } of found) assert.equal(Buffer.from(body).toString(), 'some request');
    assert.deepEqual(readWarmupLog(Buffer.alloc(0)), []);
  });

  test('throws RangeError on a file that is cut or changed', () => {
    const whole = tfRecords([log(6)]);
    for (let length = 1; length < whole.length; length++) {
      assert.throws(() => readWarmupLog(whole.subarray(0, length)), RangeError);
      const changed = Buffer.from(whole);
      changed[length] = changed[length]! ^ 1;
      assert.throws(() => readWarmupLog(changed), RangeError);
    }
  });
});

test('maskedCrc is the checksum of TFRecord files', () => {
  // CRC-32C of "123456789" is e3069283 (RFC 3720); masked by TensorFlow's rule.
  const crc = 0xe306_9283;
  assert.equal(maskedCrc(Buffer.from('123456789')), (((crc >>> 15) | (crc << 17)) + 0xa282_ead8) >>> 0);
});
