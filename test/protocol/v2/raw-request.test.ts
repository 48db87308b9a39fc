import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import type { RequestSchema } from '../../../src/protocol/v2/infer-request.ts';
import { identity, identityFp32, idInt64, idString, simple, simpleIdentity } from './recorded-models.ts';

const raw = (bytes: Uint8Array, schema: RequestSchema) => decodeInferRequest([bytes], 0, schema);

function messageOf(bytes: Uint8Array, schema: RequestSchema): string {
  try {
    raw(bytes, schema);
  } catch (fault) {
    return (fault as Error).message;
  }
  return 'was accepted';
}

describe('decodeInferRequest with a header length of 0', () => {
  test('takes the body as the one input, one row, and wants all outputs as bytes', () => {
    const bytes = Buffer.alloc(64, 7);
    assert.deepEqual(raw(bytes, identityFp32), {
      inputs: [{ name: 'INPUT0', datatype: 'FP32', shape: [1, 16], parts: [bytes], byteLength: 64 }],
      outputs: [{ name: 'OUTPUT0', binary: true, classCount: 0 }],
      batchSize: 1,
      parameters: { priority: 0, timeoutUs: 0, sequenceStart: false, sequenceEnd: false, other: new Map() },
    });
  });

  test('deduces one free dimension from the number of bytes', () => {
    assert.deepEqual(raw(Buffer.alloc(24), idInt64).inputs[0]!.shape, [3]);
    assert.deepEqual(raw(Buffer.alloc(24), identity('m', 'INT16', 4, [-1, 2, -1, 3])).inputs[0]!.shape, [1, 2, 2, 3]);
  });

  test('puts its length before a string', () => {
    const [tensor] = raw(Buffer.from('hello world'), idString).inputs;
    assert.deepEqual([tensor!.shape, Buffer.concat(tensor!.parts).toString()], [[1], '\x0b\0\0\0hello world']);
    assert.equal(tensor!.byteLength, 15);
  });

  test('is what an empty body means without any header', () => {
    const [tensor] = decodeInferRequest([], undefined, idString).inputs;
    assert.deepEqual(Buffer.concat(tensor!.parts), Buffer.alloc(4));
  });

  for (const [what, bytes, schema, text] of [
    [
      'a model of two inputs',
      64,
      simple,
      "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'simple' model configuration",
    ],
    [
      'strings in batches',
      11,
      simpleIdentity,
      "For BYTE datatype raw input 'INPUT0', the model must have input shape [1]",
    ],
    [
      'two free dimensions',
      8,
      identity('m', 'UINT8', 0, [-1, -1]),
      "The shape of the raw input 'INPUT0' can not be deduced because there are more than one variable-sized dimension",
    ],
    [
      'no whole number of elements',
      3,
      idInt64,
      "input byte size mismatch for input 'raw_input' for model 'id_int64'. Expected 0, got 3",
    ],
    [
      'another number of bytes than the fixed shape has',
      60,
      identityFp32,
      "input byte size mismatch for input 'raw_input' for model 'identity_fp32'. Expected 64, got 60",
    ],
    [
      'a free dimension beside one of no size',
      4,
      identity('m', 'FP32', 0, [-1, 0]),
      "input byte size mismatch for input 'raw_input' for model 'm'. Expected 0, got 4",
    ],
  ] as const) {
    test(`refuses ${what}`, () => assert.equal(messageOf(Buffer.alloc(bytes), schema), text));
  }
});
