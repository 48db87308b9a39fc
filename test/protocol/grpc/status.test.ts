import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { encodeGrpcMessage, grpcCode } from '../../../src/protocol/grpc/status.ts';
import { readGrpcTimeout } from '../../../src/protocol/grpc/timeout.ts';

test('encodeGrpcMessage keeps any text in printable characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const encoded = encodeGrpcMessage(text);
      assert.match(encoded, /^[\x20-\x7e]*$/);
      assert.equal(decodeURIComponent(encoded), text);
    }),
  );
});

test('grpcCode tells a wrong request from one that may be sent again', () => {
  const codes = [
    new SkeinError('model_unknown', { model: 'm' }),
    new SkeinError('queue_full'),
    new SkeinError('deadline_passed', { ms: 1, stage: '' }),
    new SkeinError('body_too_large', { bodyBytes: 2, limitBytes: 1 }),
  ].map((error) => grpcCode(error));
  assert.deepEqual(codes, [5, 14, 4, 8]);
});

test('readGrpcTimeout reads every unit in whole milliseconds', () => {
  const read = ['1H', '2M', '3S', '4m', '1u', '99999999n', undefined, '', '1', '123456789S', '1s', '-1S'];
  assert.deepEqual(read.map(readGrpcTimeout), [
    ...[3_600_000, 120_000, 3_000, 4, 1, 100, 0],
    ...[undefined, undefined, undefined, undefined, undefined],
  ]);
});
