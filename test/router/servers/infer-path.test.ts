import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readInferPath } from '../../../src/router/servers/infer-path.ts';

test('readInferPath reads the model, and the version where one is named', () => {
  assert.deepEqual(readInferPath('/v2/models/simple/infer'), { dialect: 'v2', model: 'simple', version: undefined });
  assert.deepEqual(readInferPath('/v2/models/simple/versions/12/infer'), {
    dialect: 'v2',
    model: 'simple',
    version: '12',
  });
  assert.deepEqual(readInferPath('/v2/models/simple/infer?x=/infer'), {
    dialect: 'v2',
    model: 'simple',
    version: undefined,
  });
});

test('readInferPath leaves every other path to the router', () => {
  for (const path of [
    '',
    '/',
    '/v2/models/infer',
    '/v2/models//infer',
    '/v2/models/simple/infer/',
    '/v2/models/simple/INFER',
    '/v2/models/simple/versions/infer',
    '/v2/models/simple/versions//infer',
    '/v2/models/simple/versions/x/infer',
    '/v2/models/simple/versions/-1/infer',
    '/v2/models/simple/versions/1/2/infer',
    '/v2/models/../../etc/passwd/infer',
    '/v2/models//versions/1/infer',
    '/v2/models/simple?/infer',
    'x/v2/models/simple/infer',
  ]) {
    assert.equal(readInferPath(path), undefined, path);
  }
});

test('readInferPath finds whatever name of one segment a path holds', () => {
  const name = fc.stringMatching(/^[A-Za-z0-9._~!$&'()*+,;=:@-]+$/);
  fc.assert(
    fc.property(name, fc.option(fc.nat(), { nil: undefined }), (model, version) => {
      const middle = version === undefined ? model : `${model}/versions/${version}`;
      assert.deepEqual(readInferPath(`/v2/models/${middle}/infer`), {
        dialect: 'v2',
        model,
        version: version === undefined ? undefined : String(version),
      });
    }),
  );
});

test('readInferPath takes time in proportion to the path, however it is built', () => {
  const repeated = '/versions/1'.repeat(200_000);
  assert.equal(readInferPath(`/v2/models/a${repeated}/infer`), undefined);
});
