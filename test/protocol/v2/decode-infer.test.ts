import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Tensor } from '../../../src/protocol/tensors/tensor.ts';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import type { InferRequest, RequestSchema } from '../../../src/protocol/v2/infer-request.ts';
import { counting, identityFp32, idString, input, ones, simple, simpleIdentity } from './recorded-models.ts';

function decode(document: unknown, schema: RequestSchema = simple): InferRequest {
  return decodeInferRequest([Buffer.from(JSON.stringify(document))], undefined, schema);
}

/** The JSON and behind it the bytes, as the binary extension sends them. */
function decodeBinary(document: unknown, bytes: Uint8Array, schema: RequestSchema = simple): InferRequest {
  const header = Buffer.from(JSON.stringify(document));
  return decodeInferRequest([header, bytes], header.byteLength, schema);
}

const int32 = (tensor: Tensor) => {
  const bytes = Buffer.concat(tensor.parts);
  return [...new Int32Array(bytes.buffer, bytes.byteOffset, tensor.byteLength / 4)];
};
const both = [input('INPUT0'), input('INPUT1')];

describe('decodeInferRequest', () => {
  test('gives inputs and outputs in the order of the model, whatever the order of the request', () => {
    const request = decode({
      outputs: [{ name: 'OUTPUT1', parameters: { binary_data: true } }, { name: 'OUTPUT0' }],
      inputs: [...both].reverse(),
      id: '42',
    });
    assert.equal(request.id, '42');
    assert.equal(request.batchSize, 1);
    assert.deepEqual(
      request.inputs.map((tensor) => [tensor.name, tensor.datatype, tensor.shape, int32(tensor)]),
      [
        ['INPUT0', 'INT32', [1, 16], counting],
        ['INPUT1', 'INT32', [1, 16], ones],
      ],
    );
    assert.deepEqual(request.outputs, [
      { name: 'OUTPUT0', binary: false, classCount: 0 },
      { name: 'OUTPUT1', binary: true, classCount: 0 },
    ]);
  });

  test('reads data whatever stands before it', () => {
    const text =
      '{"inputs":[{"data":[[0,1,2,3,4,5,6,7],[8,9,10,11,12,13,14,15]],"parameters":{},"datatype":"INT32","shape":[1,16],"name":"INPUT0"},' +
      `{"x":[1,{"data":[2]}],"data":[${ones}],"data":[0],"datatype":"INT32","shape":[1,16],"name":"INPUT1","name":"y"}]}`;
    const { inputs } = decodeInferRequest([Buffer.from(text)], undefined, simple);
    assert.deepEqual(inputs.map(int32), [counting, ones]);
  });

  test('counts the rows of dimension 0', () => {
    const data = [...counting, ...counting];
    const inputs = ['INPUT0', 'INPUT1'].map((name) => input(name, { shape: [2, 16], data }));
    assert.equal(decode({ inputs }).batchSize, 2);
    assert.equal(
      decode({ inputs: [{ name: 'INPUT0', shape: [3], datatype: 'BYTES', data: ['a', 'b', 'c'] }] }, idString)
        .batchSize,
      1,
    );
  });

  test('wants all outputs when none is named, binary when the request says so', () => {
    for (const outputs of [undefined, []]) {
      const wanted = decode({ inputs: both, outputs, parameters: { binary_data_output: true } }).outputs;
      assert.deepEqual(
        wanted.map(({ name, binary }) => [name, binary]),
        [
          ['OUTPUT0', true],
          ['OUTPUT1', true],
        ],
      );
    }
    const named = decode({ inputs: both, outputs: [{ name: 'OUTPUT0' }], parameters: { binary_data_output: true } });
    assert.deepEqual(named.outputs, [{ name: 'OUTPUT0', binary: false, classCount: 0 }]);
  });

  test('takes binary inputs as views of the body, mixed with JSON', () => {
    const bytes = new Uint8Array(Int32Array.from(counting).buffer);
    const binary = input('INPUT1', { data: undefined, parameters: { binary_data_size: 64 } });
    const { inputs } = decodeBinary({ inputs: [binary, input('INPUT0')] }, bytes);
    assert.deepEqual(inputs.map(int32), [counting, counting]);
    assert.deepEqual(
      inputs[1]!.parts.map((part) => part.buffer),
      [bytes.buffer],
    );
  });

  test('checks strings across the pieces in which they came', () => {
    const text = Buffer.from('\x03\0\0\0abc\0\0\0\0\x02\0\0\0de');
    const document = {
      inputs: [{ name: 'INPUT0', shape: [1, 3], datatype: 'BYTES', parameters: { binary_data_size: 17 } }],
    };
    const header = Buffer.from(JSON.stringify(document));
    const bytes = [...Buffer.concat([header, text])].map((byte) => Uint8Array.of(byte));
    const [tensor] = decodeInferRequest(bytes, header.byteLength, simpleIdentity).inputs;
    assert.deepEqual(Buffer.concat(tensor!.parts), text);
  });

  test('takes zero elements where the model does not batch', () => {
    const empty = { inputs: [{ name: 'INPUT0', shape: [0], datatype: 'BYTES', data: [] }] };
    const request = decode(empty, idString);
    assert.deepEqual([request.inputs[0]!.byteLength, request.inputs[0]!.parts, request.batchSize], [0, [], 1]);
  });

  test('leaves out optional inputs that the client left out', () => {
    const [first, second] = simple.signature.inputs;
    const inputs = [first!, { ...second!, optional: true }];
    const optional = { ...simple, signature: { ...simple.signature, inputs } };
    assert.deepEqual(
      decode({ inputs: [input('INPUT0')] }, optional).inputs.map(({ name }) => name),
      ['INPUT0'],
    );
  });

  test('never allocates what a shape promises and the body does not hold', () => {
    for (const shape of [
      [2 ** 40, 16],
      [1, 2 ** 52],
      [0, 2 ** 53 - 1],
    ]) {
      const inputs = [input('INPUT0', { shape }), input('INPUT1')];
      assert.throws(() => decode({ inputs }), { name: 'SkeinError' });
    }
  });

  test('holds a request against the signature that it names', () => {
    const signatures = new Map([['strings', idString]]);
    const data = { inputs: [{ name: 'INPUT0', shape: [2], datatype: 'BYTES', data: ['a', 'b'] }] };
    const schema = { ...simple, signatures };
    const request = decode({ ...data, parameters: { signature_name: 'strings' } }, schema);
    assert.deepEqual([request.signatureName, request.inputs[0]!.datatype], ['strings', 'BYTES']);
    assert.throws(() => decode(data, schema), { code: 'input_count' });
    assert.equal(decode({ inputs: both, parameters: { signature_name: '' } }, schema).signatureName, undefined);
    assert.throws(() => decode({ ...data, parameters: { signature_name: 1 } }, schema), { code: 'json_kind' });
  });

  test('takes any shape where the model leaves even the number of dimensions open', () => {
    const inputs = [{ name: 'INPUT0', datatype: 'FP32' as const, shape: [-1], anyRank: true as const }];
    const open = { ...identityFp32, maxBatchSize: 0, signature: { ...identityFp32.signature, inputs } };
    for (const shape of [[], [2], [1, 2, 1]]) {
      const data = Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => 0.5);
      const request = decode({ inputs: [{ name: 'INPUT0', shape, datatype: 'FP32', data }] }, open);
      assert.deepEqual(request.inputs[0]!.shape, shape);
    }
  });

  test('calls an empty id none', () => {
    assert.equal('id' in decode({ id: '', inputs: both }), false);
  });

  test('keeps FP32 names of what is no number', () => {
    const text = `{"inputs":[{"name":"INPUT0","shape":[1,16],"datatype":"FP32","data":[NaN,Infinity,-Infinity${',0'.repeat(13)}]}]}`;
    const [tensor] = decodeInferRequest([Buffer.from(text)], undefined, identityFp32).inputs;
    const bytes = Buffer.concat(tensor!.parts);
    assert.deepEqual([bytes.readFloatLE(0), bytes.readFloatLE(4), bytes.readFloatLE(8)], [Number.NaN, 1 / 0, -1 / 0]);
  });
});
