/** What TensorFlow Serving's own tests of its JSON hold it to, case by case: bodies of requests, answers, what is refused. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { SkeinError } from '../../../src/protocol/errors.ts';
import type { Datatype } from '../../../src/protocol/tensors/datatype.ts';
import type { Tensor, TensorSpec } from '../../../src/protocol/tensors/tensor.ts';
import { decodeExamples } from '../../../src/protocol/v1/decode-examples.ts';
import { decodePredict } from '../../../src/protocol/v1/decode-predict.ts';
import { encodePredict } from '../../../src/protocol/v1/encode-predict.ts';
import { encodeClassifications, encodeRegressions } from '../../../src/protocol/v1/encode-results.ts';
import { errorText } from '../../../src/protocol/v1/status.ts';
import { encodeStrings } from '../../backends/engines/test-tensors.ts';

const spec = (name: string, datatype: Datatype): TensorSpec => ({ name, datatype, shape: [-1] });
const int = [spec('default', 'INT32')];
const text = [spec('default', 'BYTES')];
const float = [spec('default', 'FP32')];
const double = [spec('default', 'FP64')];
const named = [spec('int_tensor', 'INT32'), spec('str_tensor', 'BYTES')];

/** Shapes and values by name. */
function decoded(
  body: string,
  specs: readonly TensorSpec[],
): Record<string, readonly [shape: unknown, values: unknown]> {
  const { tensors } = decodePredict(Buffer.from(body), () => specs);
  return Object.fromEntries(tensors.map((tensor) => [tensor.name, [tensor.shape, valuesOf(tensor)]]));
}

function valuesOf({ datatype, parts }: Tensor): unknown {
  const bytes = Buffer.from(Uint8Array.from(Buffer.concat(parts)).buffer);
  if (datatype === 'BYTES') return bytes.toString('hex');
  const { buffer } = bytes;
  if (datatype === 'INT32') return [...new Int32Array(buffer)];
  return [...(datatype === 'FP32' ? new Float32Array(buffer) : new Float64Array(buffer))];
}

const strings = (...all: string[]) => encodeStrings(all.map((one) => Buffer.from(one))).toString('hex');

function refusal(read: () => unknown): string {
  try {
    read();
  } catch (fault) {
    assert.ok(fault instanceof SkeinError, String(fault));
    return errorText(fault);
  }
  return assert.fail('it was taken');
}

describe('requests to predict', () => {
  const taken: [title: string, body: string, specs: readonly TensorSpec[], expected: ReturnType<typeof decoded>][] = [
    [
      'rows of lists',
      '{"instances": [[1,2],[3,4],[5,6]]}',
      int,
      {
        default: [
          [3, 2],
          [1, 2, 3, 4, 5, 6],
        ],
      },
    ],
    [
      'whole numbers among fractions for float',
      '{"instances": [1, 2.0, 3, 4, 5.003, 0.007, 0.0]}',
      float,
      { default: [[7], [1, 2, 3, 4, Math.fround(5.003), Math.fround(0.007), 0]] },
    ],
    [
      'whole numbers among fractions for double',
      '{"instances": [1.0, 2, 3, 4, 0.662, 0, 0.0]}',
      double,
      { default: [[7], [1, 2, 3, 4, 0.662, 0, 0]] },
    ],
    [
      'what follows the document',
      '{"instances": [[1,2]]}X',
      int,
      {
        default: [
          [1, 2],
          [1, 2],
        ],
      },
    ],
    [
      'base64 for scalars',
      '{"instances": [{"b64": "aGVsbG8="}, {"b64": "d29ybGQ="}]}',
      text,
      { default: [[2], strings('hello', 'world')] },
    ],
    [
      'base64 in lists',
      '{"instances": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}',
      text,
      { default: [[2, 1], strings('hello', 'world')] },
    ],
    [
      'base64 in lists of a named input',
      '{"instances": [{"default": [[{"b64": "aGVsbG8="}], [{"b64": "d29ybGQ="}]]}]}',
      text,
      { default: [[1, 2, 1], strings('hello', 'world')] },
    ],
    [
      'several inputs of several types, NaN and Infinity among them',
      `{"instances": [
        {"int_tensor": [[1,2],[3,4],[5,6]], "str_tensor": ["foo", "bar"], "float_tensor": [1.0, NaN], "dbl_tensor": [NaN]},
        {"int_tensor": [[7,8],[9,0],[1,2]], "str_tensor": ["baz", "bat"], "float_tensor": [2.0, Infinity], "dbl_tensor": [2.0]}]}`,
      [...named, spec('float_tensor', 'FP32'), spec('dbl_tensor', 'FP64')],
      {
        int_tensor: [
          [2, 3, 2],
          [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2],
        ],
        str_tensor: [[2, 2], strings('foo', 'bar', 'baz', 'bat')],
        float_tensor: [
          [2, 2],
          [1, Number.NaN, 2, Infinity],
        ],
        dbl_tensor: [
          [2, 1],
          [Number.NaN, 2],
        ],
      },
    ],
    [
      'columns by name',
      '{"inputs": {"default": [[[1,2],[3,4],[5,6]]]}}',
      int,
      {
        default: [
          [1, 3, 2],
          [1, 2, 3, 4, 5, 6],
        ],
      },
    ],
    [
      'a column without its name',
      '{"inputs": [[[1,2],[3,4],[5,6]]]}',
      int,
      {
        default: [
          [1, 3, 2],
          [1, 2, 3, 4, 5, 6],
        ],
      },
    ],
    [
      'columns of several inputs, a scalar in base64 among them',
      '{"inputs": {"int_tensor": [[[1,2]]], "str_tensor": ["foo", "bar"], "bin_tensor": {"b64": "aGVsbG8="}}}',
      [...named, spec('bin_tensor', 'BYTES')],
      {
        int_tensor: [
          [1, 1, 2],
          [1, 2],
        ],
        str_tensor: [[2], strings('foo', 'bar')],
        bin_tensor: [[], strings('hello')],
      },
    ],
  ];
  for (const [title, body, specs, expected] of taken) {
    test(`takes ${title}`, () => assert.deepEqual(decoded(body, specs), expected));
  }

  const refused: [title: string, body: string, specs: readonly TensorSpec[], says: string][] = [
    ['an empty body', '', int, 'document is empty'],
    ['a name that is no text', '{"signature_name": 5, "instances": [[1,2]]}', int, 'must be a string value'],
    ['both forms', '{"instances": [[1,2]], "inputs": [[1,2]]}', int, 'Not formatted correctly'],
    ['rows of unequal sizes', '{"instances": [[1,2],[3,4],[5,6,7]]}', int, 'Expecting tensor size'],
    ['a deeper row', '{"instances": [[1,2],[3,4],[[5,6]]]}', int, 'Expecting shape'],
    ['a list after a scalar', '{"instances": [1, [1]]}', int, 'Expecting shape'],
    ['text for an integer', '{"instances": [[1,2],["a", "b"]]}', int, 'not of expected type'],
    [
      'a named input of another depth',
      '{"instances": [{"int_tensor": [[1,2]], "str_tensor": ["a"]}, {"int_tensor": [[[7,8]]], "str_tensor": ["b"]}]}',
      named,
      'Expecting shape',
    ],
    [
      'a named input of another size',
      '{"instances": [{"int_tensor": [[1,2],[3,4]], "str_tensor": ["a"]}, {"int_tensor": [[7,8]], "str_tensor": ["b"]}]}',
      named,
      'Expecting tensor size',
    ],
    [
      'a list among objects',
      '{"instances": [{"int_tensor": [1], "str_tensor": ["a"]}, [1, 20, 30]]}',
      named,
      'Expecting object but got list',
    ],
    [
      'an object among lists',
      '{"instances": [["a"], {"default": ["b"]}]}',
      text,
      'Expecting value/list but got object',
    ],
  ];
  for (const [title, body, specs, says] of refused) {
    test(`refuses ${title}`, () => {
      const said = refusal(() => decoded(body, specs));
      assert.ok(said.includes(says), said);
    });
  }

  test('takes what float cannot hold as the nearest that it can', () => {
    assert.deepEqual(decoded('{"instances": [1435774380, 1435774380.0, 16777217]}', float), {
      default: [[3], [1435774336, 1435774336, 16777216]],
    });
    assert.deepEqual(decoded(`{"instances": [${Number.MAX_VALUE}, ${-Number.MAX_VALUE}]}`, float), {
      default: [[2], [Infinity, -Infinity]],
    });
    assert.deepEqual(decoded('{"instances": [2.2250738585072014e-308, -2.2250738585072014e-308]}', float), {
      default: [[2], [0, -0]],
    });
  });

  test('steps over what is nested without end where it is not asked for, and refuses it elsewhere', () => {
    const deep = '['.repeat(500_000) + ']'.repeat(500_000);
    assert.deepEqual(decoded(`{"instances": [1], "nested": ${deep}}`, int), { default: [[1], [1]] });
    for (const body of [`{"signature_name": ${deep}}`, `{"inputs": ${deep}}`]) {
      assert.match(
        refusal(() => decoded(body, int)),
        /nest/,
      );
    }
  });
});

describe('answers of predict', () => {
  const tensor = (name: string, datatype: Datatype, shape: number[], bytes: Uint8Array): Tensor => {
    return { name, datatype, shape, parts: [bytes], byteLength: bytes.byteLength };
  };
  const ints = (name: string, shape: number[], ...values: number[]) =>
    tensor(name, 'INT32', shape, new Uint8Array(Int32Array.from(values).buffer));
  const floats = (name: string, shape: number[], ...values: number[]) =>
    tensor(name, 'FP32', shape, new Uint8Array(Float32Array.from(values).buffer));
  const doubles = (name: string, shape: number[], ...values: number[]) =>
    tensor(name, 'FP64', shape, new Uint8Array(Float64Array.from(values).buffer));
  const texts = (name: string, shape: number[], ...values: string[]) =>
    tensor(name, 'BYTES', shape, encodeStrings(values.map((value) => Buffer.from(value))));
  const written = (outputs: readonly Tensor[], form: 'row' | 'column') =>
    Buffer.concat(encodePredict(outputs, form).parts).toString();
  const words = (outputs: readonly Tensor[]) => written(outputs, 'row').replaceAll(/\s+/g, '');

  test('are rows or columns of one output', () => {
    const one = [ints('int_tensor', [2, 3, 2], 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2)];
    const values = [
      [
        [1, 2],
        [3, 4],
        [5, 6],
      ],
      [
        [7, 8],
        [9, 0],
        [1, 2],
      ],
    ];
    assert.deepEqual(JSON.parse(written(one, 'row')), { predictions: values });
    assert.deepEqual(JSON.parse(written(one, 'column')), { outputs: values });
    const scalars = [ints('int_tensor', [5], 1, 2, 3, 4, 5)];
    assert.deepEqual(JSON.parse(written(scalars, 'row')), { predictions: [1, 2, 3, 4, 5] });
    assert.deepEqual(JSON.parse(written(scalars, 'column')), { outputs: [1, 2, 3, 4, 5] });
  });

  test('have six digits where they suffice, as many as it takes elsewhere, and bare names for what is not finite', () => {
    const given = [9000000, 999999, 0.5, 0.0003, 0.00003, 555557.5];
    assert.equal(words([floats('f', [6], ...given)]), '{"predictions":[9e+06,999999.0,0.5,0.0003,3e-05,555557.5]}');
    const odd = [Number.NaN, Infinity, 3, -Infinity];
    assert.equal(words([floats('f', [2, 2], ...odd)]), '{"predictions":[[NaN,Infinity],[3.0,-Infinity]]}');
  });

  test('name several outputs, and write those in base64 whose name says bytes', () => {
    const outputs = [
      ints('int_tensor', [2, 3, 2], 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2),
      texts('str_tensor', [2, 2], 'foo', 'bar', 'baz', 'bat'),
      floats('float_tensor', [2, 1], 1, 2),
      doubles('double_scalar_tensor', [2], 8, 9),
      texts('str_tensor_bytes', [2, 2], 'hello', 'world', 'tf', 'serving'),
    ];
    const b64 = (...all: string[]) => all.map((one) => ({ b64: Buffer.from(one).toString('base64') }));
    assert.deepEqual(JSON.parse(written(outputs, 'row')).predictions, [
      {
        int_tensor: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
        str_tensor: ['foo', 'bar'],
        float_tensor: [1],
        double_scalar_tensor: 8,
        str_tensor_bytes: b64('hello', 'world'),
      },
      {
        int_tensor: [
          [7, 8],
          [9, 0],
          [1, 2],
        ],
        str_tensor: ['baz', 'bat'],
        float_tensor: [2],
        double_scalar_tensor: 9,
        str_tensor_bytes: b64('tf', 'serving'),
      },
    ]);
    const columns = JSON.parse(written(outputs, 'column')).outputs;
    assert.deepEqual(columns.double_scalar_tensor, [8, 9]);
    assert.deepEqual(columns.str_tensor_bytes, [b64('hello', 'world'), b64('tf', 'serving')]);
  });

  test('may have no rows, and all outputs have as many', () => {
    assert.deepEqual(JSON.parse(written([ints('a', [0, 2])], 'row')), { predictions: [] });
    assert.deepEqual(JSON.parse(written([texts('a', [0, 1, 2]), floats('b', [0, 3, 4])], 'row')), { predictions: [] });
    for (const [first, second] of [
      [ints('a', [2, 1], 1, 2), texts('b', [1, 1], 'foo')],
      [ints('a', [0, 2]), texts('b', [1, 2], 'foo', 'bar')],
    ] as const) {
      assert.match(
        refusal(() => written([first, second], 'row')),
        /inconsistent batch size/,
      );
    }
    assert.match(
      refusal(() => written([ints('a', [], 1)], 'row')),
      /has no shape information/,
    );
  });
});

describe('requests to classify and to regress', () => {
  test('have features of one kind each, bytes in base64 among texts, and a context for all', () => {
    const { examples, context, signatureName } = decodeExamples(
      Buffer.from(`{"signature_name": "custom", "context": {"query": "pizza", "location": ["sfo"]}, "examples": [
        {"names": ["foo", "bar"], "ratings": [8.0, 9.0, NaN, Infinity], "age": 20},
        {"names": ["baz", {"b64": "aGVsbG8="}], "ratings": 6.0, "mixed": [1, true, false]},
        {"names": "bar", "ratings": -Infinity}]}`),
    );
    const bytes = (...all: string[]) => ({ kind: 'bytes', values: all.map((one) => Buffer.from(one)) });
    assert.equal(signatureName, 'custom');
    assert.deepEqual(
      context,
      new Map([
        ['query', bytes('pizza')],
        ['location', bytes('sfo')],
      ]),
    );
    assert.deepEqual(examples, [
      new Map<string, unknown>([
        ['names', bytes('foo', 'bar')],
        ['ratings', { kind: 'float', values: [8, 9, Number.NaN, Infinity] }],
        ['age', { kind: 'int64', values: [20n] }],
      ]),
      new Map<string, unknown>([
        ['names', bytes('baz', 'hello')],
        ['ratings', { kind: 'float', values: [6] }],
        ['mixed', { kind: 'int64', values: [1n, 1n, 0n] }],
      ]),
      new Map<string, unknown>([
        ['names', bytes('bar')],
        ['ratings', { kind: 'float', values: [-Infinity] }],
      ]),
    ]);
  });

  const refused: [body: string, says: string][] = [
    ['{"signature_name": ["hello"], "examples": [{"names": ["foo"]}]}', "'signature_name' key must be a string"],
    ['{"context": [{"names": ["foo", "bar"]}]}', 'Example must be JSON object'],
    ['{"examples": {"names": ["foo", "bar"]}}', 'list/array'],
    ['{"examples": [[{"names": ["foo"]}]]}', 'Example must be JSON object'],
    ['{"examples": [{"names": [10, null]}]}', 'names has element with unexpected JSON type: Null'],
    ['{"examples": [{"names": [10, 10.0]}]}', 'feature: names expecting type: int64'],
    ['{"examples": [{"names": [10, {"test": 10}]}]}', 'names has element with unexpected JSON type: Object'],
    ['{"examples": [{"names": [[10], 20]}]}', 'names has element with unexpected JSON type: Array'],
    ['{"examples": [{"names": [20, 18446744073709551603]}]}', 'Only int64'],
  ];
  for (const [body, says] of refused) {
    test(`refuse ${body.slice(0, 70)}`, () => {
      const said = refusal(() => decodeExamples(Buffer.from(body)));
      assert.ok(said.includes(says), said);
    });
  }
});

describe('results', () => {
  const written = ({ parts }: { readonly parts: readonly Uint8Array[] }) => Buffer.concat(parts).toString();

  test('are pairs for classes and numbers for regressions', () => {
    const classes = (car: number, bike: number) => [
      { label: 'car', score: car },
      { label: 'bike', score: bike },
    ];
    assert.deepEqual(JSON.parse(written(encodeClassifications([classes(0.25, 0.75), classes(0.5, 0.5)]))), {
      results: [
        [
          ['car', 0.25],
          ['bike', 0.75],
        ],
        [
          ['car', 0.5],
          ['bike', 0.5],
        ],
      ],
    });
    const odd = [Math.fround(0.2), Infinity, 1, -Infinity, Number.NaN];
    const said = written(encodeRegressions(odd)).replaceAll(/\s+/g, '');
    assert.equal(said, '{"results":[0.2,Infinity,1.0,-Infinity,NaN]}');
  });
});
