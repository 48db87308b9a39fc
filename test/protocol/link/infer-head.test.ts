import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FrameType, payloadLimit } from '../../../src/protocol/link/frame.ts';
import {
  BodyKind,
  decodeInferHead,
  decodeReplyHead,
  encodeInferHead,
  encodeReplyHead,
  type InferHead,
  maxReplyBytes,
} from '../../../src/protocol/link/infer-head.ts';

const word = fc.integer({ min: 0, max: 0xffff_fffe });
const optional = fc.option(word, { nil: undefined });

const head: InferHead = {
  copy: 1,
  kind: BodyKind.v2,
  headerLength: 10,
  timeoutMs: 1_000,
  bodyBytes: 100,
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  signature: '',
};

test('encodeInferHead and decodeInferHead are each other’s inverse', () => {
  fc.assert(
    fc.property(
      word,
      optional,
      word,
      optional,
      fc.constantFrom('', head.traceparent),
      fc.constantFrom('', 'classify_x_to_y', 'größe'),
      (copy, headerLength, timeoutMs, bodyBytes, traceparent, signature) => {
        const one = { ...head, copy, headerLength, timeoutMs, bodyBytes, traceparent, signature };
        assert.deepEqual(decodeInferHead(encodeInferHead(one)), one);
      },
    ),
  );
});

test('encodeInferHead leaves out a traceparent that would not fit the frame', () => {
  const bytes = encodeInferHead({ ...head, traceparent: 'x'.repeat(5_000) });
  assert.ok(bytes.length <= payloadLimit[FrameType.infer]!);
  assert.equal(decodeInferHead(bytes).traceparent, '');
});

test('encodeInferHead takes a time-out and a length beyond its fields as the longest and as unknown', () => {
  const { timeoutMs, bodyBytes } = decodeInferHead(encodeInferHead({ ...head, timeoutMs: 1e12, bodyBytes: 1e12 }));
  assert.equal(timeoutMs, 0xffff_fffe);
  assert.equal(bodyBytes, undefined);
});

test('encodeInferHead throws on the name of a signature that would not fit the frame', () => {
  assert.throws(() => encodeInferHead({ ...head, signature: 'é'.repeat(513) }), RangeError);
});

test('decodeInferHead throws on the name of a signature that goes beyond its frame', () => {
  const bytes = encodeInferHead({ ...head, traceparent: '', signature: 'predict' });
  assert.throws(() => decodeInferHead(bytes.subarray(0, -1)), RangeError);
});

test('encodeReplyHead and decodeReplyHead are each other’s inverse', () => {
  fc.assert(
    fc.property(optional, word, word, word, (headerLength, bodyBytes, inFlight, latencyUs) => {
      const one = { headerLength, bodyBytes, inFlight, latencyUs };
      assert.deepEqual(decodeReplyHead(encodeReplyHead(one)), one);
    }),
  );
});

test('encodeReplyHead takes a body of maxReplyBytes and throws on a larger one', () => {
  const one = { headerLength: undefined, bodyBytes: maxReplyBytes, inFlight: 0, latencyUs: 0.4 };
  assert.equal(decodeReplyHead(encodeReplyHead(one)).bodyBytes, maxReplyBytes);
  assert.throws(() => encodeReplyHead({ ...one, bodyBytes: maxReplyBytes + 2 }), RangeError);
});

test('decodeInferHead and decodeReplyHead throw on a payload that is too short', () => {
  assert.throws(() => decodeInferHead(Buffer.alloc(23)), RangeError);
  assert.throws(() => decodeReplyHead(Buffer.alloc(15)), RangeError);
});
