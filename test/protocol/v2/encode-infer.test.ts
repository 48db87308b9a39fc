import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { encodeInferResponse } from '../../../src/protocol/v2/encode-infer.ts';
import type { ReplyOutput } from '../../../src/protocol/v2/infer-reply.ts';

function output(datatype: Datatype, shape: number[], bytes: Uint8Array, more: Partial<ReplyOutput> = {}): ReplyOutput {
  const tensor: Tensor = { name: 'OUTPUT0', datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
  return { tensor, binary: false, classCount: 0, ...more };
}

const encode = (outputs: ReplyOutput[], id?: string) =>
  encodeInferResponse({ model: 'm', version: '1', ...(id === undefined ? {} : { id }), outputs });
const textOf = (outputs: ReplyOutput[]) => Buffer.concat(encode(outputs).parts).toString();
const bytesOf = ({ buffer }: { buffer: ArrayBufferLike }) => new Uint8Array(buffer);
const dataOf = (datatype: Datatype, values: { length: number; buffer: ArrayBufferLike }) =>
  /"data":\[(.*)\]\}\]\}$/s.exec(textOf([output(datatype, [values.length], bytesOf(values))]))![1];

describe('encodeInferResponse', () => {
  test('lays the JSON out as Triton does', () => {
    const bytes = bytesOf(Int32Array.of(1, -2));
    assert.equal(
      textOf([output('INT32', [1, 2], bytes)]),
      '{"model_name":"m","model_version":"1","outputs":[{"name":"OUTPUT0","datatype":"INT32","shape":[1,2],"data":[1,-2]}]}',
    );
    const { parts, headerLength, byteLength } = encode([output('INT32', [2], bytes)], 'a"b');
    assert.match(Buffer.concat(parts).toString(), /^\{"id":"a\\"b","model_name":"m",/);
    assert.deepEqual([headerLength, byteLength], [undefined, Buffer.concat(parts).length]);
    assert.equal(Buffer.concat(encode([], '').parts).toString(), '{"model_name":"m","model_version":"1","outputs":[]}');
  });

  test('puts binary outputs behind the JSON, uncopied and in order', () => {
    const [first, second] = [bytesOf(Int32Array.of(1, 2)), bytesOf(Int32Array.of(3))];
    const outputs = [
      output('INT32', [2], first, { binary: true }),
      output('INT32', [1], second),
      output('INT32', [1], second, { binary: true }),
    ];
    const { headerLength, parts, byteLength } = encode(outputs);
    assert.equal(
      Buffer.from(parts[0]!).toString(),
      '{"model_name":"m","model_version":"1","outputs":[{"name":"OUTPUT0","datatype":"INT32","shape":[2],"parameters":{"binary_data_size":8}},' +
        '{"name":"OUTPUT0","datatype":"INT32","shape":[1],"data":[3]},' +
        '{"name":"OUTPUT0","datatype":"INT32","shape":[1],"parameters":{"binary_data_size":4}}]}',
    );
    assert.equal(headerLength, parts[0]!.length);
    assert.deepEqual([parts[1], parts[2], parts.length], [first, second, 3]);
    assert.equal(parts[1], first);
    assert.equal(byteLength, headerLength! + 12);
  });

  test('is JSON alone when every binary output is empty', () => {
    const { headerLength, parts } = encode([output('INT64', [0], new Uint8Array(0), { binary: true })]);
    assert.equal(headerLength, undefined);
    assert.match(Buffer.concat(parts).toString(), /"shape":\[0\],"parameters":\{"binary_data_size":0\}\}\]\}$/);
  });

  test('writes FP32 as the double that it is, always with a point or an exponent', () => {
    const values = Float32Array.of(0, -0, 1, -1.5, 0.1, 1e-7, 1e7, 1e20, 2 ** 70, 1e-45, 123456.789, 1e-5);
    assert.equal(
      dataOf('FP32', values),
      '0.0,-0.0,1.0,-1.5,0.10000000149011612,1.0000000116860974e-7,10000000.0,100000002004087730000.0,1.1805916207174113e21,1.401298464324817e-45,123456.7890625,0.000009999999747378752',
    );
    assert.equal(
      dataOf('FP32', Float32Array.of(0.1, 1e-7, -1e-5, 2.5)),
      '0.10000000149011612,1.0000000116860974e-7,-0.000009999999747378752,2.5',
    );
    assert.equal(dataOf('FP32', Float32Array.of(Number.NaN, 1 / 0, -1 / 0)), 'NaN,Infinity,-Infinity');
    assert.equal(
      dataOf('FP64', Float64Array.of(0.1, 1e300, 5e-324, 1, 1.2345678901234568e17, 1e21)),
      '0.1,1e300,5e-324,1.0,123456789012345680.0,1e21',
    );
  });

  test('writes integers exactly, booleans as such and strings escaped', () => {
    assert.equal(
      dataOf('INT64', BigInt64Array.of(2n ** 63n - 1n, -(2n ** 63n))),
      '9223372036854775807,-9223372036854775808',
    );
    assert.equal(dataOf('UINT8', Uint8Array.of(0, 255)), '0,255');
    assert.equal(dataOf('BOOL', Uint8Array.of(0, 1, 2)), 'false,true,true');
    const strings = Buffer.from('\x05\0\0\0a"\\\n\x01\0\0\0\0\x02\0\0\0é');
    assert.match(textOf([output('BYTES', [3], strings)]), /"data":\["a\\"\\\\\\n\\u0001","","é"\]\}\]\}$/);
  });

  test('replaces what is no UTF-8 in a string, so that the answer is JSON', () => {
    const strings = Buffer.from([2, 0, 0, 0, 0xff, 0xfe]);
    assert.match(textOf([output('BYTES', [1], strings)]), /"data":\["\ufffd\ufffd"\]/);
  });

  test('refuses half floats as JSON', () => {
    for (const datatype of ['FP16', 'BF16'] as const) {
      assert.throws(() => encode([output(datatype, [1], new Uint8Array(2))]), {
        message: `sending ${datatype} data via JSON is not supported. Please use the binary data format for output`,
      });
    }
  });

  test('reads tensors in any pieces and at any alignment, and of any length', () => {
    const values = Float64Array.from({ length: 20_000 }, (_, i) => i / 8);
    const bytes = bytesOf(values);
    const shifted = new Uint8Array(bytes.length + 3);
    shifted.set(bytes, 3);
    const expected = dataOf('FP64', values);
    assert.ok(textOf([output('FP64', [20_000], shifted.subarray(3))]).includes(`[${expected}]`));
    fc.assert(
      fc.property(fc.nat(bytes.length), (at) => {
        const parts = [shifted.subarray(3, 3 + at), shifted.subarray(3 + at)];
        const tensor: Tensor = { name: 'y', datatype: 'FP64', shape: [20_000], parts, byteLength: bytes.length };
        assert.ok(textOf([{ tensor, binary: false, classCount: 0 }]).includes(`[${expected}]`));
      }),
      { numRuns: 5 },
    );
  });
});
