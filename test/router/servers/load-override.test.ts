import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLoadOverride } from '../../../src/router/servers/load-override.ts';

const read = (body: unknown, model = 'm') =>
  readLoadOverride(Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)), model);

test('readLoadOverride finds none in a plain load', () => {
  for (const body of ['', '{}', '{"parameters":{}}', '{"other":1}']) assert.equal(read(body), undefined, body);
});

test('readLoadOverride reads a configuration and files', () => {
  const override = read({
    parameters: { config: '{"max_batch_size":2}', 'file:1/model.onnx': 'AAEC/w==', 'file:1/w/data': '' },
  });
  assert.equal(override?.config, '{"max_batch_size":2}');
  assert.deepEqual(
    [...override!.files],
    [
      ['1/model.onnx', Buffer.from([0, 1, 2, 255])],
      ['1/w/data', Buffer.alloc(0)],
    ],
  );
});

test('readLoadOverride refuses paths that lead anywhere but into a version', () => {
  for (const path of [
    'model.onnx',
    '../model.onnx',
    '1/../../etc/passwd',
    '1/./x',
    '/1/model.onnx',
    '1/',
    '1//x',
    '0/x',
    '01/x',
    'x/y',
    '1/a\\b',
    '1/a\0b',
    '',
  ]) {
    assert.throws(() => read({ parameters: { config: '{}', [`file:${path}`]: '' } }), { code: 'load_parameter' }, path);
  }
});

test('readLoadOverride refuses names that no model can have, before anything is written for them', () => {
  for (const model of ['..', '.hidden', 'a/b', 'a\nb']) {
    assert.throws(() => read({ parameters: { config: '{}' } }, model), { code: 'model_name_invalid' }, model);
  }
});

test('readLoadOverride says what is wrong with a parameter', () => {
  const refusals: [body: string, message: RegExp][] = [
    ['{', /Missing a name for object member/],
    ['[]', /must be a JSON object/],
    ['{"parameters":1}', /attempt to get members for non-object/],
    ['{"parameters":{"foo":"x"}}', /unrecognized load parameter 'foo'/],
    ['{"parameters":{"config":1}}', /^attempt to access JSON non-string as string$/],
    [
      '{"parameters":{"config":"x"}}',
      /^failed to load 'm', failed to poll from model repository: 'config' is not JSON/,
    ],
    ['{"parameters":{"config":"[]"}}', /'config' is not a JSON object/],
    ['{"parameters":{"file:1/model.onnx":"AAAA"}}', /^failed to load 'm', .* only together with 'config'/],
    ['{"parameters":{"config":"{}","file:1/m":"A"}}', /'file:1\/m' is not base64/],
    ['{"parameters":{"config":"{}","file:1/m":"AA*A"}}', /'file:1\/m' is not base64/],
    ['{"parameters":{"config":"{}","file:1/m":2}}', /non-string as string/],
  ];
  for (const [body, message] of refusals) assert.throws(() => read(body), { message }, body);
});
