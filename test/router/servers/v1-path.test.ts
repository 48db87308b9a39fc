import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readV1InferPath, readV1Question } from '../../../src/router/servers/v1-path.ts';

test('readV1InferPath reads the model, what is asked of it, and a version or a label', () => {
  assert.deepEqual(readV1InferPath('/v1/models/half_plus_two:predict'), {
    dialect: 'v1Predict',
    model: 'half_plus_two',
    version: undefined,
  });
  assert.deepEqual(readV1InferPath('/v1/models/m/versions/12:classify?x=y'), {
    dialect: 'v1Classify',
    model: 'm',
    version: '12',
  });
  assert.deepEqual(readV1InferPath('/v1/Models/a%20b/labels/stable:REGRESS'), {
    dialect: 'v1Regress',
    model: 'a b',
    version: undefined,
    label: 'stable',
  });
});

test('readV1InferPath leaves every other path alone', () => {
  for (const path of [
    '',
    '/v1/models/m',
    '/v1/models/:predict',
    '/v1/models/m:explain',
    '/v1/models/m/versions/x:predict',
    '/v1/models/m/versions/1/labels/l:predict',
    '/v1/models/a/b:predict',
    '/v2/models/m:predict',
  ]) {
    assert.equal(readV1InferPath(path), undefined, path);
  }
});

test('readV1Question reads what is asked about a model', () => {
  const question = { model: 'm', version: undefined, label: undefined, isMetadata: false };
  assert.deepEqual(readV1Question('/v1/models/m'), question);
  assert.deepEqual(readV1Question('/v1/models/m/metadata'), { ...question, isMetadata: true });
  assert.deepEqual(readV1Question('/v1/models/m/versions/3/metadata'), { ...question, version: '3', isMetadata: true });
  assert.deepEqual(readV1Question('/v1/models/m/labels/l'), { ...question, label: 'l' });
  assert.deepEqual(readV1Question('/v1/models'), { ...question, model: '' });
  assert.equal(readV1Question('/v1/models/m/versions/x'), undefined);
  assert.equal(readV1Question('/v1/models/m:predict'), undefined);
});
