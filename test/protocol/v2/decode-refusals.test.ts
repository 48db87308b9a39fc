import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import { decodeInferRequest } from '../../../src/protocol/v2/decode-infer.ts';
import type { RequestSchema } from '../../../src/protocol/v2/infer-request.ts';
import { errorText } from '../../../src/protocol/v2/status.ts';
import { counting, identity, idHalf, input, ones, simple, simpleIdentity } from './recorded-models.ts';

function faultOf(decode: () => unknown): SkeinError {
  try {
    decode();
  } catch (fault) {
    assert.ok(fault instanceof SkeinError, String(fault));
    return fault;
  }
  assert.fail('was accepted');
}

const inJson = (document: unknown, schema: RequestSchema = simple) =>
  faultOf(() => decodeInferRequest([Buffer.from(JSON.stringify(document))], undefined, schema));

/** INPUT0 with these changes beside a good INPUT1. */
const withInput = (more: object) => inJson({ inputs: [input('INPUT0', more), input('INPUT1')] });
const withBoth = (document: object) => inJson({ inputs: [input('INPUT0'), input('INPUT1')], ...document });

const note =
  'NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension to be prepended to each input shape. If you want to specify the full shape including the batch dim in your input dims config, try setting max_batch_size to zero. See the model configuration docs for more info on max_batch_size.';
const noField =
  "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', 'shared_memory_region' in 'parameters'. But no field is set";

const many = (count: number) => Array<number>(16 * count).fill(1);

/** Triton's texts, as recorded (2.51) or as its newer source has them; its 500 is 400 here. */
const refusals: Record<string, [fault: () => SkeinError, text: string]> = {
  'an object without inputs': [
    () => inJson({}),
    "Unable to parse 'inputs': attempt to access non-existing object member 'inputs'",
  ],
  'a root that is no object': [
    () => inJson([1]),
    "Unable to parse 'inputs': attempt to access non-existing object member 'inputs'",
  ],
  'inputs that are no list': [
    () => inJson({ inputs: {} }),
    "Unable to parse 'inputs': attempt to access JSON non-array as array",
  ],
  'no inputs': [
    () => inJson({ inputs: [] }),
    "expected 2 inputs but got 0 inputs for model 'simple'. Got input(s) [], but missing required input(s) ['INPUT0','INPUT1']. Please provide all required input(s).",
  ],
  'a number for an input': [() => inJson({ inputs: [1] }), noField],
  'an input of nothing': [() => inJson({ inputs: [{}] }), noField],
  'a missing input': [
    () => inJson({ inputs: [input('INPUT0')] }),
    "expected 2 inputs but got 1 inputs for model 'simple'. Got input(s) ['INPUT0'], but missing required input(s) ['INPUT1']. Please provide all required input(s).",
  ],
  'a third input': [
    () => inJson({ inputs: [input('INPUT0'), input('INPUT1'), input('INPUT2')] }),
    "expected 2 inputs but got 3 inputs for model 'simple'. Got input(s) ['INPUT2','INPUT1','INPUT0'], but missing required input(s) []. Please provide all required input(s).",
  ],
  'an unknown input': [
    () => withInput({ name: 'INPUT9' }),
    "unexpected inference input 'INPUT9' for model 'simple'; it takes 'INPUT0','INPUT1'",
  ],
  'an input given twice': [() => withInput({ name: 'INPUT1' }), "input 'INPUT1' already exists in request"],
  'an unknown output': [
    () => withBoth({ outputs: [{ name: 'OUTPUT9' }] }),
    "unexpected inference output 'OUTPUT9' for model 'simple'; it gives 'OUTPUT0','OUTPUT1'",
  ],
  'an output wanted twice': [
    () => withBoth({ outputs: [{ name: 'OUTPUT0' }, { name: 'OUTPUT0' }] }),
    "output 'OUTPUT0' already exists in request",
  ],
  'an output without name': [
    () => withBoth({ outputs: [{}] }),
    "Unable to parse 'name': attempt to access non-existing object member 'name'",
  ],
  'outputs that are no list': [
    () => withBoth({ outputs: {} }),
    "Unable to parse 'outputs': attempt to access JSON non-array as array",
  ],
  'an input without name': [
    () => withInput({ name: undefined }),
    "Unable to parse 'name': attempt to access non-existing object member 'name'",
  ],
  'an input without shape': [
    () => withInput({ shape: undefined }),
    "Unable to parse 'shape': attempt to access non-existing object member 'shape'",
  ],
  'an input without datatype': [
    () => withInput({ datatype: undefined }),
    "Unable to parse 'datatype': attempt to access non-existing object member 'datatype'",
  ],
  'an input without data': [() => withInput({ data: undefined }), noField],
  'a name that is no string': [
    () => withInput({ name: 1 }),
    "Unable to parse 'name': attempt to access JSON non-string as string",
  ],
  'an id that is no string': [
    () => withBoth({ id: 42 }),
    "Unable to parse 'id': attempt to access JSON non-string as string",
  ],
  'another shape': [
    () => withInput({ shape: [1, 8], data: counting.slice(8) }),
    `unexpected shape for input 'INPUT0' for model 'simple'. Expected [-1,16], got [1,8]. ${note}`,
  ],
  'a shape without batch dimension': [
    () => withInput({ shape: [16] }),
    "input 'INPUT0' batch size does not match other inputs for 'simple'",
  ],
  'a shape of another rank': [
    () => withInput({ shape: [1, 1, 16] }),
    `unexpected shape for input 'INPUT0' for model 'simple'. Expected [-1,16], got [1,1,16]. ${note}`,
  ],
  'an empty shape': [
    () => withInput({ shape: [], data: [1] }),
    "input 'INPUT0' has no shape but model requires batch dimension for 'simple'",
  ],
  'a batch of no rows': [
    () => inJson({ inputs: ['INPUT0', 'INPUT1'].map((name) => input(name, { shape: [0, 16], data: [] })) }),
    "input byte size mismatch for input 'INPUT1' for model 'simple'. Expected 64, got 0",
  ],
  'a batch of no rows of no bytes': [
    () => inJson({ inputs: [{ name: 'INPUT0', shape: [0, 0], datatype: 'BYTES', data: [] }] }, simpleIdentity),
    "inference request batch-size must be >= 1 for 'simple_identity'",
  ],
  'a negative dimension': [
    () => withInput({ shape: [-1, 16] }),
    "Unable to parse 'shape': attempt to access JSON non-unsigned-integer as unsigned-integer",
  ],
  'a dimension that is a string': [
    () => withInput({ shape: ['1', 16] }),
    "Unable to parse 'shape': attempt to access JSON non-unsigned-integer as unsigned-integer",
  ],
  'a shape that is no list': [
    () => withInput({ shape: 16 }),
    "Unable to parse 'shape': attempt to access JSON non-array as array",
  ],
  'more rows than the model takes': [
    () => inJson({ inputs: ['INPUT0', 'INPUT1'].map((name) => input(name, { shape: [9, 16], data: many(9) })) }),
    "inference request batch-size must be <= 8 for 'simple', got 9: the first dimension of every input is the batch",
  ],
  'inputs of different rows': [
    () => withInput({ shape: [2, 16], data: many(2) }),
    "input 'INPUT0' batch size does not match other inputs for 'simple'",
  ],
  'too few values': [
    () => withInput({ data: ones.slice(1) }),
    "Unable to parse 'data': Shape does not match true shape of 'data' field: it has fewer elements than the 16 of the shape",
  ],
  'too many values': [
    () => withInput({ data: [...ones, 1] }),
    "Unable to parse 'data': Shape does not match true shape of 'data' field: it has more elements than the 16 of the shape",
  ],
  'data that is no list': [
    () => withInput({ data: {} }),
    "Unable to parse 'data': attempt to access JSON non-array as array",
  ],
  'another datatype': [
    () => withInput({ datatype: 'FP32' }),
    "inference input 'INPUT0' data-type is 'FP32', but model 'simple' expects 'INT32'",
  ],
  'an unknown datatype': [
    () => withInput({ datatype: 'int32' }),
    'invalid datatype for input INPUT0: expected one of BOOL, UINT8, UINT16, UINT32, UINT64, INT8, INT16, INT32, INT64, FP16, BF16, FP32, FP64, BYTES',
  ],
  'half floats in JSON': [
    () => inJson({ inputs: [{ name: 'INPUT0', shape: [2], datatype: 'FP16', data: [1, 2] }] }, idHalf),
    'receiving FP16 data via JSON is not supported. Please use the binary data format for input INPUT0',
  ],
  'data and bytes': [
    () => withInput({ parameters: { binary_data_size: 64 } }),
    "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', 'shared_memory_region' in 'parameters'. But set 'data' 'binary_data_size'",
  ],
  'a reserved parameter': [
    () => withBoth({ parameters: { triton_foo: 1 } }),
    "parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.",
  ],
  'classes of strings': [
    () =>
      inJson(
        {
          inputs: [{ name: 'INPUT0', shape: [1, 1], datatype: 'BYTES', data: ['a'] }],
          outputs: [{ name: 'OUTPUT0', parameters: { classification: 1 } }],
        },
        simpleIdentity,
      ),
    "class result not available for output due to unsupported type 'BYTES'",
  ],
  'a million and one classes': [
    () => withBoth({ outputs: [{ name: 'OUTPUT0', parameters: { classification: 1_000_001 } }] }),
    "'classification' of output 'OUTPUT0' is 1000001; at most 1000000 classes can be asked for",
  ],
};

describe('decodeInferRequest refuses', () => {
  for (const [what, [fault, text]] of Object.entries(refusals)) {
    test(what, () => {
      assert.deepEqual([fault().kind, errorText(fault())], ['invalid', text]);
    });
  }

  test('shared memory, as something that is not done here', () => {
    const shared = { parameters: { shared_memory_region: 'r', shared_memory_byte_size: 64 } };
    for (const fault of [
      withInput({ ...shared, data: undefined }),
      withBoth({ outputs: [{ name: 'OUTPUT0', ...shared }] }),
    ]) {
      assert.equal(fault.kind, 'unsupported');
      assert.match(fault.message, /^Client shared memory is disabled\. /);
    }
  });

  test('half floats that would have to leave as JSON, before the model runs', () => {
    const document = {
      inputs: [{ name: 'INPUT0', shape: [2], datatype: 'FP16', parameters: { binary_data_size: 4 } }],
    };
    const header = Buffer.from(JSON.stringify(document));
    const fault = faultOf(() => decodeInferRequest([header, Buffer.alloc(4)], header.length, idHalf));
    assert.equal(
      fault.message,
      'sending FP16 data via JSON is not supported. Please use the binary data format for output',
    );
  });

  test('dimensions beyond any body, told apart by whether their product still is an int64', () => {
    const faultOfShape = (shape: string) => {
      const text = `{"inputs":[{"name":"INPUT0","shape":${shape},"datatype":"INT32","data":[1]}]}`;
      return faultOf(() => decodeInferRequest([Buffer.from(text)], undefined, simple)).message;
    };
    assert.equal(
      faultOfShape('[9223372036854775807,16]'),
      "invalid shape for input 'INPUT0': shape [9223372036854775807,16] causes total element count to exceed maximum size of 9223372036854775807",
    );
    assert.match(faultOfShape('[4611686018427387904,2]'), /causes total element count to exceed/);
    assert.match(faultOfShape('[9223372036854775807]'), /contains one or more invalid dimensions/);
    assert.equal(
      faultOfShape('[9007199254740992,0]'),
      "invalid shape for input 'INPUT0': shape [9007199254740992,0] contains one or more invalid dimensions",
    );
    assert.match(
      faultOfShape(`[${Array(50_000).fill('9223372036854775807')}]`),
      /causes total element count to exceed/,
    );
  });

  test('dimensions whose product is not finite, wherever a 0 stands among them', () => {
    const huge = Array<number>(30).fill(2 ** 52);
    for (const shape of [
      [0, ...huge],
      [...huge, 0],
      [...huge, 0, ...huge],
    ]) {
      const model = identity('m', 'FP32', 1, Array<number>(shape.length).fill(-1));
      for (const data of [[], [1, 2, 3]]) {
        const fault = inJson({ inputs: [{ name: 'INPUT0', shape, datatype: 'FP32', data }] }, model);
        assert.match(fault.message, /causes total element count to exceed/);
      }
    }
  });

  test('a fault of the model check with the id of the request, where it has one', () => {
    const fault = inJson({ id: 'r7', inputs: [input('INPUT0', { datatype: 'FP32' }), input('INPUT1')] });
    assert.equal(
      errorText(fault),
      "[request id: r7] inference input 'INPUT0' data-type is 'FP32', but model 'simple' expects 'INT32'",
    );
  });

  test('with texts of bounded length', () => {
    const long = 'x'.repeat(100_000);
    const faults = [
      withInput({ name: long }),
      withInput({ name: long, datatype: long }),
      withInput({ shape: Array(50_000).fill(1), data: [1] }),
      withBoth({ id: long, outputs: [{ name: long }, { name: long }] }),
    ];
    for (const fault of faults) assert.ok(errorText(fault).length < 1_500, errorText(fault).slice(0, 100));
  });
});

describe('decodeInferRequest refuses binary bodies', () => {
  const binaryInput = (name: string, size: unknown) => ({
    ...input(name),
    data: undefined,
    parameters: { binary_data_size: size },
  });
  const document = { inputs: [binaryInput('INPUT0', 64), binaryInput('INPUT1', 64)] };
  const header = Buffer.from(JSON.stringify(document));
  const refuse = (bytes: number, headerLength: number | undefined = header.length, text = header) =>
    faultOf(() => decodeInferRequest([text, Buffer.alloc(bytes)], headerLength, simple)).message;
  const sized = (size: unknown) => {
    const text = Buffer.from(JSON.stringify({ inputs: [binaryInput('INPUT0', size), binaryInput('INPUT1', 64)] }));
    return refuse(typeof size === 'number' && size > 0 ? 64 + size : 128, text.length, text);
  };

  test('that are too short or too long', () => {
    assert.equal(refuse(124), "unexpected size for input 'INPUT1', expecting 4 additional bytes for model 'simple'");
    assert.equal(refuse(0), "unexpected size for input 'INPUT0', expecting 64 additional bytes for model 'simple'");
    assert.equal(refuse(132), "unexpected additional input data for model 'simple'");
  });

  test('whose sizes are not those of the shape', () => {
    assert.equal(sized(60), "input byte size mismatch for input 'INPUT0' for model 'simple'. Expected 64, got 60");
    assert.equal(sized(68), "input byte size mismatch for input 'INPUT0' for model 'simple'. Expected 64, got 68");
  });

  test('whose sizes are no sizes', () => {
    for (const size of [-1, '64', 1.5, null, {}]) {
      assert.equal(
        sized(size),
        "Unable to parse 'binary_data_size': attempt to access JSON non-unsigned-integer as unsigned-integer",
      );
    }
  });

  test('without the header, whether the bytes are there or not', () => {
    const expected =
      "must specify valid 'Infer-Header-Content-Length' in request header and 'binary_data_size' when passing inputs in binary data format";
    const whole = (bytes: number) =>
      faultOf(() => decodeInferRequest([header, Buffer.alloc(bytes)], undefined, simple)).message;
    assert.deepEqual([whole(0), whole(128)], [expected, expected]);
  });

  test('whose header length is not that of the JSON', () => {
    assert.equal(refuse(128, 10), 'failed to parse the request JSON buffer: Invalid value. at 10');
    assert.match(refuse(128, header.length + 1), /must not be followed by other values\. at 190$/);
    const beyond = `inference header size should be in range (0, ${header.length + 128}), got: `;
    for (const length of [100_000, -1, Number.NaN]) assert.equal(refuse(128, length), beyond + length);
  });

  test('whose strings are cut, too few or too many', () => {
    const strings = (shape: number[], bytes: string) => {
      const tensor = { name: 'INPUT0', shape, datatype: 'BYTES', parameters: { binary_data_size: bytes.length } };
      const text = Buffer.from(JSON.stringify({ inputs: [tensor] }));
      return faultOf(() => decodeInferRequest([text, Buffer.from(bytes, 'latin1')], text.length, simpleIdentity))
        .message;
    };
    assert.equal(
      strings([1, 1], '\x01\0\0'),
      "incomplete string length indicator for inference input 'INPUT0' for model 'simple_identity', expecting 4 bytes but only 3 bytes available. Please make sure the string length indicator is in one buffer.",
    );
    assert.equal(
      strings([1, 1], '\x09\0\0\0ab'),
      "incomplete string data for inference input 'INPUT0', expecting string of length 9 but only 2 bytes available",
    );
    assert.equal(
      strings([1, 2], '\x03\0\0\0abc'),
      "expected 2 string elements for inference input 'INPUT0' for model 'simple_identity', got 1",
    );
    assert.equal(
      strings([1, 1], '\x03\0\0\0abc\x03\0\0\0def'),
      "unexpected number of string elements 2 for inference input 'INPUT0' for model 'simple_identity', expecting 1",
    );
    assert.match(strings([1, 1], '\xff\xff\xff\xff'), /expecting string of length 4294967295 but only 0 bytes/);
  });
});
