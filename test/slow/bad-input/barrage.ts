/** What no client should send. Each row says what the answer's text must speak of. */
import { deflateSync, gzipSync } from 'node:zlib';
import { get, inferBinary, inferJson, post } from './http-request.ts';

export interface BadRequest {
  readonly name: string;
  readonly request: Buffer;
  readonly says: RegExp;
  /** 4xx, and this one where it matters. */
  readonly status?: number;
}

const sixteen = Array.from({ length: 16 }, (_, i) => i);

interface Input {
  readonly name?: unknown;
  readonly datatype?: unknown;
  readonly shape?: unknown;
  readonly data?: unknown;
  readonly parameters?: unknown;
}

/** Both inputs of add-sub, the first one changed. */
function simple(change: Input, more: Readonly<Record<string, unknown>> = {}): unknown {
  const input = { datatype: 'INT32', shape: [1, 16], data: sixteen };
  return {
    inputs: [
      { name: 'INPUT0', ...input, ...change },
      { name: 'INPUT1', ...input },
    ],
    ...more,
  };
}

function one(element: string, datatype: string, data: unknown, shape: unknown = [1]): Buffer {
  return inferJson(`id_${element}`, { inputs: [{ name: 'INPUT0', datatype, shape, data }] });
}

/** Both inputs of add-sub in binary, with the sizes that they claim. */
function simpleBinary(
  firstSize: unknown,
  secondSize: unknown,
  binaryBytes: number,
  headerLength?: number | string,
): Buffer {
  const input = (name: string, size: unknown) => ({
    name,
    datatype: 'INT32',
    shape: [1, 16],
    parameters: { binary_data_size: size },
  });
  const json = { inputs: [input('INPUT0', firstSize), input('INPUT1', secondSize)] };
  return inferBinary('simple', json, Buffer.alloc(binaryBytes), headerLength);
}

const lengths: readonly BadRequest[] = [
  { name: 'binary data that is cut short', request: simpleBinary(64, 64, 100), says: /INPUT1|size|bytes/ },
  { name: 'no binary data at all', request: simpleBinary(64, 64, 0), says: /size|bytes/ },
  { name: 'binary data beyond what is claimed', request: simpleBinary(64, 64, 1_000), says: /additional input data/ },
  { name: 'a size smaller than the shape', request: simpleBinary(60, 64, 124), says: /INPUT0/ },
  { name: 'a size larger than the shape', request: simpleBinary(68, 64, 132), says: /INPUT0/ },
  { name: 'a size of -1', request: simpleBinary(-1, 64, 128), says: /binary_data_size|unsigned/ },
  { name: 'a size of 1.5', request: simpleBinary(1.5, 64, 128), says: /binary_data_size|unsigned/ },
  { name: 'a size that is a text', request: simpleBinary('64', 64, 128), says: /binary_data_size|unsigned|string/ },
  { name: 'a size of 2^53', request: simpleBinary(2 ** 53, 64, 128), says: /size|bytes|INPUT0/ },
  { name: 'sizes that overflow together', request: simpleBinary(2 ** 52, 2 ** 52, 128), says: /size|bytes|INPUT0/ },
  { name: 'a JSON part longer than the body', request: simpleBinary(64, 64, 128, 1_000_000), says: /[Hh]eader/ },
  { name: 'a JSON part of negative length', request: simpleBinary(64, 64, 128, -5), says: /[Hh]eader/ },
  { name: 'a JSON part of length 1e3', request: simpleBinary(64, 64, 128, '1e3'), says: /[Hh]eader/ },
  { name: 'a JSON part of length 2^64', request: simpleBinary(64, 64, 128, '18446744073709551616'), says: /[Hh]eader/ },
  { name: 'a JSON part that is cut', request: simpleBinary(64, 64, 128, 40), says: /JSON|json/ },
  {
    name: 'data both in JSON and in binary',
    request: inferBinary('simple', simple({ parameters: { binary_data_size: 64 } }), Buffer.alloc(64)),
    says: /INPUT0|data/,
  },
  {
    name: 'a string whose length leads beyond its tensor',
    request: inferBinary(
      'id_string',
      { inputs: [{ name: 'INPUT0', datatype: 'BYTES', shape: [1], parameters: { binary_data_size: 6 } }] },
      Buffer.from('ffffffff6162', 'hex'),
    ),
    says: /INPUT0/,
  },
  {
    name: 'fewer strings than the shape has',
    request: inferBinary(
      'id_string',
      { inputs: [{ name: 'INPUT0', datatype: 'BYTES', shape: [3], parameters: { binary_data_size: 5 } }] },
      Buffer.from('0100000061', 'hex'),
    ),
    says: /INPUT0/,
  },
];

const shapes: readonly BadRequest[] = [
  {
    name: 'a negative dimension',
    request: inferJson('simple', simple({ shape: [-1, 16] })),
    says: /INPUT0|dimension|shape/,
  },
  { name: 'a huge dimension', request: one('float', 'FP32', [1], [2 ** 40]), says: /INPUT0|shape|element/ },
  {
    name: 'dimensions whose product overflows',
    request: one('float', 'FP32', [1], [2 ** 31, 2 ** 31, 2 ** 31]),
    says: /INPUT0|shape/,
  },
  {
    name: 'a dimension beyond 64 bits',
    request: inferJson('simple', simple({ shape: [1e30, 16] })),
    says: /INPUT0|shape|integer|dimension/,
  },
  {
    name: 'a fractional dimension',
    request: inferJson('simple', simple({ shape: [1.5, 16] })),
    says: /INPUT0|shape|integer|dimension/,
  },
  {
    name: 'a dimension that is a text',
    request: inferJson('simple', simple({ shape: ['1', 16] })),
    says: /INPUT0|shape|integer|number/,
  },
  { name: 'a shape that is no list', request: inferJson('simple', simple({ shape: 16 })), says: /shape|array/ },
  { name: 'no shape', request: inferJson('simple', simple({ shape: undefined })), says: /shape/ },
  { name: 'an empty shape', request: inferJson('simple', simple({ shape: [] })), says: /INPUT0|shape/ },
  {
    name: 'a thousand dimensions',
    request: one(
      'float',
      'FP32',
      [1],
      Array.from({ length: 1_000 }, () => 1),
    ),
    says: /INPUT0|shape|dimension/,
  },
  {
    name: 'a shape that the model does not have',
    request: inferJson('simple', simple({ shape: [16, 1] })),
    says: /INPUT0|shape|batch/,
  },
  {
    name: 'more rows than the model takes',
    request: inferJson('simple', {
      inputs: ['INPUT0', 'INPUT1'].map((name) => ({
        name,
        datatype: 'INT32',
        shape: [9, 16],
        data: Array.from({ length: 144 }, () => 1),
      })),
    }),
    says: /batch/,
  },
  {
    name: 'rows that differ between inputs',
    request: inferJson('simple', simple({ shape: [2, 16], data: [...sixteen, ...sixteen] })),
    says: /batch|INPUT|shape/,
  },
  {
    name: 'fewer elements than the shape has',
    request: inferJson('simple', simple({ data: [1, 2] })),
    says: /INPUT0|shape|element/,
  },
  {
    name: 'more elements than the shape has',
    request: inferJson('simple', simple({ data: [...sixteen, 1] })),
    says: /INPUT0|shape|element/,
  },
];

const types: readonly BadRequest[] = [
  {
    name: 'a type that there is not',
    request: inferJson('simple', simple({ datatype: 'INT33' })),
    says: /INT33|datatype|data type/,
  },
  { name: 'a type that is no text', request: inferJson('simple', simple({ datatype: 7 })), says: /datatype|string/ },
  { name: 'no type', request: inferJson('simple', simple({ datatype: undefined })), says: /datatype/ },
  {
    name: 'the type of another model',
    request: inferJson('simple', simple({ datatype: 'FP32' })),
    says: /INPUT0|TYPE_INT32|INT32/,
  },
  {
    name: 'texts for integers',
    request: inferJson('simple', simple({ data: sixteen.map(String) })),
    says: /INPUT0|number|integer|string|int/i,
  },
  {
    name: 'a fraction for an integer',
    request: inferJson('simple', simple({ data: sixteen.map((i) => i + 0.5) })),
    says: /INPUT0|integer|int/i,
  },
  {
    name: 'true for an integer',
    request: inferJson('simple', simple({ data: sixteen.map(() => true) })),
    says: /INPUT0|integer|int|bool/i,
  },
  {
    name: 'null for an integer',
    request: inferJson('simple', simple({ data: sixteen.map(() => null) })),
    says: /INPUT0|integer|int|null/i,
  },
  { name: 'an object for data', request: inferJson('simple', simple({ data: { a: 1 } })), says: /data|array/i },
  {
    name: 'lists of unequal length',
    request: inferJson(
      'simple',
      simple({ data: [[1, 2, 3], [4], [5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18]] }),
    ),
    says: /INPUT0|shape|element|data/,
  },
  { name: 'numbers for texts', request: one('string', 'BYTES', [1]), says: /INPUT0|string/ },
  { name: 'numbers for truth', request: one('bool', 'BOOL', [2]), says: /INPUT0|bool/i },
  { name: 'FP16 in JSON', request: one('float16', 'FP16', [1]), says: /FP16|INPUT0/ },
];

const ranges: readonly BadRequest[] = [
  ['int32', 'INT32', '2147483648'],
  ['int32', 'INT32', '-2147483649'],
  ['int8', 'INT8', '128'],
  ['int8', 'INT8', '-129'],
  ['uint8', 'UINT8', '256'],
  ['uint8', 'UINT8', '-1'],
  ['uint16', 'UINT16', '65536'],
  ['int16', 'INT16', '32768'],
  ['uint32', 'UINT32', '4294967296'],
  ['int64', 'INT64', '9223372036854775808'],
  ['uint64', 'UINT64', '18446744073709551616'],
  ['uint64', 'UINT64', '-1'],
  ['int64', 'INT64', '1e400'],
].map(([element, datatype, value]) => ({
  name: `${value} as ${datatype}`,
  request: inferJson(
    `id_${element}`,
    `{"inputs":[{"name":"INPUT0","datatype":"${datatype}","shape":[1],"data":[${value}]}]}`,
  ),
  says: /INPUT0|range|fit|int|number/i,
}));

const structure: readonly BadRequest[] = [
  {
    name: 'the same input twice',
    request: inferJson('simple', {
      inputs: ['INPUT0', 'INPUT0', 'INPUT1'].map((name) => ({
        name,
        datatype: 'INT32',
        shape: [1, 16],
        data: sixteen,
      })),
    }),
    says: /INPUT0/,
  },
  {
    name: 'the same output twice',
    request: inferJson('simple', simple({}, { outputs: [{ name: 'OUTPUT0' }, { name: 'OUTPUT0' }] })),
    says: /OUTPUT0/,
  },
  {
    name: 'an input that there is not',
    request: inferJson('simple', simple({ name: 'INPUT7' })),
    says: /INPUT7|INPUT0/,
  },
  {
    name: 'an output that there is not',
    request: inferJson('simple', simple({}, { outputs: [{ name: 'OUTPUT7' }] })),
    says: /OUTPUT7/,
  },
  {
    name: 'one input too few',
    request: inferJson('simple', { inputs: [{ name: 'INPUT0', datatype: 'INT32', shape: [1, 16], data: sixteen }] }),
    says: /input/,
  },
  { name: 'no inputs', request: inferJson('simple', {}), says: /inputs/ },
  { name: 'inputs that are no list', request: inferJson('simple', { inputs: 'INPUT0' }), says: /array|inputs/ },
  { name: 'an input that is no object', request: inferJson('simple', { inputs: [1, 2] }), says: /[Ii]nput/ },
  { name: 'an input without a name', request: inferJson('simple', simple({ name: undefined })), says: /name/ },
  { name: 'no body', request: inferJson('simple', ''), says: /Raw request/ },
  { name: 'a body that is no JSON', request: inferJson('simple', 'hello'), says: /JSON|json/ },
  { name: 'JSON that is cut', request: inferJson('simple', '{"inputs":[{"name":"INPUT0"'), says: /JSON|json/ },
  {
    name: 'JSON with more behind it',
    request: inferJson('simple', `${JSON.stringify(simple({}))}x`),
    says: /JSON|json/,
  },
  { name: 'a list for a body', request: inferJson('simple', [1, 2]), says: /object|JSON/ },
  {
    name: '100,000 open brackets',
    request: inferJson('simple', '['.repeat(100_000)),
    says: /JSON|json|deep|nest|object/,
  },
  {
    name: '100,000 open brackets as data',
    request: inferJson(
      'simple',
      `{"inputs":[{"name":"INPUT0","datatype":"INT32","shape":[1,16],"data":${'['.repeat(100_000)}`,
    ),
    says: /JSON|json|deep|nest|INPUT0/,
  },
  {
    name: 'bytes that are no UTF-8',
    request: post(
      '/v2/models/simple/infer',
      Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
    ),
    says: /UTF-8|utf|JSON|inputs/,
  },
  {
    name: 'parameters that are no object',
    request: inferJson('simple', simple({}, { parameters: [1] })),
    says: /parameters|object/,
  },
];

const zeros = Buffer.alloc(80 * 2 ** 20);

const bodies: readonly BadRequest[] = [
  {
    name: 'a gzip bomb',
    request: post('/v2/models/simple/infer', gzipSync(zeros), { 'Content-Encoding': 'gzip' }),
    says: /max-body/,
  },
  {
    name: 'a body of 100 MB, announced',
    request: post('/v2/models/simple/infer', '', { 'Content-Length': '100000000' }),
    says: /100000000 bytes.*max-body/,
  },
  {
    name: 'a body of 100 MB, sent',
    request: post('/v2/models/simple/infer', Buffer.alloc(100_000_000, 0x20)),
    says: /100000000 bytes.*max-body/,
  },
  {
    name: 'a body of 100 MB, in chunks',
    request: Buffer.concat([
      Buffer.from('POST /v2/models/simple/infer HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n'),
      ...Array.from({ length: 100 }, () => [
        Buffer.from('f4240\r\n'),
        Buffer.alloc(1_000_000, 0x20),
        Buffer.from('\r\n'),
      ]).flat(),
      Buffer.from('0\r\n\r\n'),
    ]),
    says: /max-body/,
  },
  {
    name: 'a bomb of deflate',
    request: post('/v2/models/simple/infer', deflateSync(zeros), { 'Content-Encoding': 'deflate' }),
    says: /max-body/,
  },
  { name: 'gzip that is none', request: inferJson('simple', simple({}), { 'Content-Encoding': 'gzip' }), says: /gzip/ },
  {
    name: 'gzip that is cut',
    request: post('/v2/models/simple/infer', gzipSync(JSON.stringify(simple({}))).subarray(0, 40), {
      'Content-Encoding': 'gzip',
    }),
    says: /gzip/,
  },
  {
    name: 'a coding that there is not',
    request: inferJson('simple', simple({}), { 'Content-Encoding': 'br' }),
    says: /compression/,
  },
  {
    name: 'a body that stops',
    request: post('/v2/models/simple/infer', '{"inputs"', { 'Content-Length': '500' }),
    says: /body-timeout/,
  },
  {
    name: 'a head that stops',
    request: Buffer.from('POST /v2/models/simple/infer HTTP/1.1\r\nHost: h\r\nX-'),
    says: /headers-timeout/,
  },
  {
    name: 'a head of 100 kB',
    request: post('/v2/models/simple/infer', '', { 'X-Long': 'a'.repeat(100_000) }),
    says: /max-header/,
    status: 431,
  },
];

const names: readonly BadRequest[] = [
  ...[
    '..%2f..%2f..%2fetc%2fpasswd',
    '%2e%2e',
    '..',
    '.',
    '..%5c..%5cx',
    'a%00b',
    '%',
    '%zz',
    'x'.repeat(5_000),
    '%c0%ae%c0%ae',
    '__proto__',
    'constructor',
  ].flatMap((name): BadRequest[] => [
    { name: `an inference of '${name.slice(0, 30)}'`, request: inferJson(name, simple({})), says: /./ },
    { name: `the metadata of '${name.slice(0, 30)}'`, request: get(`/v2/models/${name}/versions/1`), says: /./ },
    { name: `a load of '${name.slice(0, 30)}'`, request: post(`/v2/repository/models/${name}/load`, ''), says: /./ },
  ]),
  { name: 'a path that leads out', request: get('/v2/models/../../../../etc/passwd'), says: /./ },
  {
    name: 'a version that leads out',
    request: inferJson('simple/versions/..%2f..%2f1', simple({})),
    says: /Not Found/,
  },
  { name: 'a negative version', request: inferJson('simple/versions/-1', simple({})), says: /Not Found/ },
  {
    name: 'a version beyond 64 bits',
    request: inferJson('simple/versions/99999999999999999999', simple({})),
    says: /version/,
  },
  {
    name: 'a file that leads out of its model',
    request: post(
      '/v2/repository/models/evil/load',
      JSON.stringify({
        parameters: { config: '{"backend":"onnxruntime"}', 'file:../../../../tmp/skein-evil/model.onnx': 'AAAA' },
      }),
    ),
    says: /file|path|\.\./,
  },
  {
    name: 'a file with an absolute path',
    request: post(
      '/v2/repository/models/evil/load',
      JSON.stringify({
        parameters: { config: '{"backend":"onnxruntime"}', 'file:/tmp/skein-evil/model.onnx': 'AAAA' },
      }),
    ),
    says: /file|path/,
  },
  {
    name: 'a configuration that leads out of its model',
    request: post(
      '/v2/repository/models/simple/load',
      JSON.stringify({
        parameters: {
          config: '{"name":"simple","backend":"onnxruntime","default_model_filename":"../../../../../etc/passwd"}',
        },
      }),
    ),
    says: /default_model_filename|path|file|passwd/,
  },
];

export const barrage: readonly BadRequest[] = [
  ...lengths,
  ...shapes,
  ...types,
  ...ranges,
  ...structure,
  ...bodies,
  ...names,
];
