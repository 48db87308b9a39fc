import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { TensorSpec } from '../../../src/protocol/tensors/tensor.ts';
import { decodePredict } from '../../../src/protocol/v1/decode-predict.ts';
import { errorText } from '../../../src/protocol/v1/status.ts';

const spec = (name: string, datatype: Datatype = 'FP32', optional = false): TensorSpec => ({
  name,
  datatype,
  shape: [-1],
  ...(optional ? { optional } : {}),
});
const one = [spec('x')];
const two = [spec('tag', 'BYTES'), spec('signal', 'INT32')];

function decode(body: string, specs: readonly TensorSpec[] = one) {
  const { form, tensors } = decodePredict(Buffer.from(body), () => specs);
  return { form, tensors: tensors.map(({ name, shape, parts }) => ({ name, shape, bytes: Buffer.concat(parts) })) };
}
const floatsOf = (bytes: Buffer) => Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));

/** What a client is told. */
function refusal(body: string, specs: readonly TensorSpec[] = one): string {
  try {
    decode(body, specs);
  } catch (fault) {
    assert.ok(fault instanceof SkeinError, String(fault));
    assert.ok(fault.kind === 'invalid' || fault.kind === 'unsupported', fault.kind);
    return errorText(fault);
  }
  assert.fail(`${body} was taken`);
}

describe('decodePredict', () => {
  test('reads rows of one input, scalars or lists', () => {
    const scalars = decode('{"instances": [1.0, 2, -5e-1]}');
    assert.deepEqual(scalars.tensors[0]!.shape, [3]);
    assert.deepEqual(floatsOf(scalars.tensors[0]!.bytes), [1, 2, -0.5]);
    assert.deepEqual(decode('{"instances": [[[1, 2]], [[3, 4]]]}').tensors[0]!.shape, [2, 1, 2]);
    assert.deepEqual(decode('{"instances": [[], []]}').tensors[0]!.shape, [2, 0]);
  });

  test('reads rows of named inputs, in the order of the model', () => {
    const { form, tensors } = decode(
      '{"instances": [{"signal": [1, 2], "tag": "foo"}, {"tag": {"b64": "YmE="}, "signal": [3, 4]}]}',
      two,
    );
    assert.equal(form, 'row');
    assert.deepEqual(
      tensors.map(({ name, shape }) => [name, shape]),
      [
        ['tag', [2]],
        ['signal', [2, 2]],
      ],
    );
    assert.deepEqual(tensors[0]!.bytes, Buffer.from('\x03\0\0\0foo\x02\0\0\0ba', 'latin1'));
  });

  test('reads columns, of one input without its name, and scalars', () => {
    assert.deepEqual(decode('{"inputs": [[1, 2], [3, 4]]}').tensors[0]!.shape, [2, 2]);
    assert.deepEqual(decode('{"inputs": 3}').tensors[0]!.shape, []);
    const named = decode('{"inputs": {"signal": [1], "tag": [["a"], ["b"]], "beyond": 1}}', two);
    assert.deepEqual(
      named.tensors.map(({ shape }) => shape),
      [[2, 1], [1]],
    );
    assert.deepEqual(decode('{"inputs": {"b64": "YQ=="}}', [spec('s', 'BYTES')]).tensors[0]!.shape, []);
  });

  test('takes NaN and infinities as bare names', () => {
    const { tensors } = decode('{"instances": [NaN, Infinity, -Infinity]}');
    assert.deepEqual(floatsOf(tensors[0]!.bytes), [Number.NaN, Infinity, -Infinity]);
  });

  test('leaves out what the model does not need', () => {
    const specs = [spec('x'), spec('w', 'FP32', true)];
    for (const body of [
      '{"instances": [1, 2]}',
      '{"instances": [{"x": 1}]}',
      '{"inputs": [1]}',
      '{"inputs": {"x": 1}}',
    ]) {
      assert.deepEqual(
        decode(body, specs).tensors.map(({ name }) => name),
        ['x'],
      );
    }
    assert.deepEqual(decode('{"instances": [{"x": 1, "w": 2}]}', specs).tensors.length, 2);
  });

  test('asks for the signature that the body names', () => {
    const asked: string[] = [];
    const inputsOf = (signature: string) => {
      asked.push(signature);
      return one;
    };
    decodePredict(Buffer.from('{"instances": [1], "signature_name": "other"}'), inputsOf);
    decodePredict(Buffer.from('{"instances": [1]} and more'), inputsOf);
    assert.deepEqual(asked, ['other', '']);
  });

  const refusals: [title: string, body: string, text: string, specs?: readonly TensorSpec[]][] = [
    ['an empty body', '', 'JSON Parse error: The document is empty'],
    [
      'no JSON',
      '{"instances": [1, 2}',
      "JSON Parse error: Missing a comma or ']' after an array element. at offset: 20",
    ],
    ['a list', '[1]', 'JSON Value: [1] Is not object'],
    [
      'a signature name of another kind',
      '{"signature_name": 1}',
      'JSON Value: {\n    "signature_name": 1\n} not formatted correctly. \'signature_name\' key must be a string value.',
    ],
    [
      'both forms',
      '{"instances":[1],"inputs":[1]}',
      'JSON Value: {\n    "instances": [1],\n    "inputs": [1]\n} Not formatted correctly expecting only one of \'inputs\' or \'instances\' keys to exist ',
    ],
    ['neither form', '{"x":1}', "Missing 'inputs' or 'instances' key"],
    [
      'instances that are no list',
      '{"instances": 1}',
      'JSON Value: {\n    "instances": 1\n} Expecting \'instances\' to be an list/array',
    ],
    ['no instance', '{"instances": []}', 'JSON Value: {\n    "instances": []\n} No values in \'instances\' array'],
    [
      'text for a number',
      '{"instances": ["a"]}',
      'Failed to process element: 0 of \'instances\' list. Error: INVALID_ARGUMENT: JSON Value: "a" Type: String is not of expected type: float',
    ],
    [
      'a fraction for an integer',
      '{"instances": [1, 1.0]}',
      "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: JSON Value: 1.0 Type: Number is not of expected type: int32",
      [spec('x', 'INT32')],
    ],
    [
      'an integer out of range',
      '{"inputs": [300]}',
      'JSON Value: 300 Type: Number is not of expected type: uint8',
      [spec('x', 'UINT8')],
    ],
    [
      'a type that JSON has no form for',
      '{"inputs": [1]}',
      'Conversion of JSON Value: 1 to type: half',
      [spec('x', 'FP16')],
    ],
    [
      'rows of different sizes',
      '{"instances": [[1, 2], [3]]}',
      "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting tensor size: 2 but got: 1",
    ],
    [
      'rows of different shapes',
      '{"instances": [[[1, 2]], [[3], [4]]]}',
      "Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [1,2] but got: [2,1]",
    ],
    [
      'a ragged list',
      '{"inputs": [[1, 2], [3]]}',
      'Encountered list at unexpected size: 1 at level: 1 expected size: 2',
    ],
    [
      'a ragged list, whatever is in it',
      '{"inputs": [[1, 2], ["a"]]}',
      'Encountered list at unexpected size: 1 at level: 1 expected size: 2',
    ],
    ['a list where a number was', '{"inputs": [1, [2]]}', 'Encountered list at unexpected level: 1 expected < 1'],
    [
      'a number where a list was',
      '{"inputs": [[1], 2]}',
      'JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2',
    ],
    [
      'a list for several inputs',
      '{"instances": [1]}',
      'instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map',
      two,
    ],
    [
      'a column for several inputs',
      '{"inputs": [1]}',
      'inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map',
      two,
    ],
    ['a list among objects', '{"instances": [{"x": 1}, [1]]}', 'Expecting object but got list at item 1 of input list'],
    [
      'an object among lists',
      '{"instances": [1, {"x": 1}]}',
      'Expecting value/list but got object at item 1 of input list',
    ],
    [
      'an input that is not there',
      '{"instances": [{"y": 1}]}',
      "Failed to process element: 0 key: y of 'instances' list. Error: INVALID_ARGUMENT: JSON object: does not have named input: y",
    ],
    [
      'an input that is missing in a row',
      '{"instances": [{"tag": "a"}]}',
      'Failed to process element: 0 of \'instances\' list. JSON object: {\n    "tag": "a"\n} keys must be equal to: signal,tag',
      two,
    ],
    ['an input that is missing', '{"inputs": {"tag": "a"}}', "Missing named input: signal in 'inputs' object.", two],
    [
      'an object that is no base64',
      '{"inputs": [{"b65": "YQ=="}]}',
      'JSON Value: {\n    "b65": "YQ=="\n} not formatted correctly for base64 data',
      [spec('x', 'BYTES')],
    ],
    ['broken base64', '{"inputs": [{"b64": "Y"}]}', 'Unable to base64 decode', [spec('x', 'BYTES')]],
    [
      'an object for a number',
      '{"inputs": [{"b64": "YQ=="}]}',
      'JSON Value: {\n    "b64": "YQ=="\n} Type: Object is not of expected type: float',
    ],
    ['null', '{"inputs": [null]}', 'JSON Value: null Type: Null is not of expected type: float'],
  ];
  for (const [title, body, text, specs] of refusals) {
    test(`refuses ${title}`, () => assert.equal(refusal(body, specs ?? one), text));
  }

  test('quotes no more than the beginning of a long value', () => {
    const long = `{"instances": 1, "more": [${'1, '.repeat(10_000)}1]}`;
    assert.ok(refusal(long).length < 400);
  });

  test('never fails in another way than by a refusal', () => {
    const whole = '{"instances": [{"tag": {"b64": "YQ=="}, "signal": [1, 2]}, {"tag": "b\\u0041", "signal": [3, 4]}]}';
    for (let end = 0; end < whole.length; end++) refusal(whole.slice(0, end), two);
    for (let at = 0; at < whole.length; at++) {
      for (const change of ['}', ']', '"', ',', '1', 'x']) {
        const body = whole.slice(0, at) + change + whole.slice(at + 1);
        try {
          decode(body, two);
        } catch (fault) {
          assert.ok(fault instanceof SkeinError, `${body}: ${String(fault)}`);
        }
      }
    }
  });
});
