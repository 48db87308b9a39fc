import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkModelName, modelNameFault } from '../../../src/fleet/repository/model-name.ts';

describe('modelNameFault', () => {
  test('finds none in names that Triton takes and a URL can carry', () => {
    for (const name of [
      'resnet50',
      'a.b_c-D',
      'model:v2',
      'größe',
      '模型',
      'with space',
      'a'.repeat(255),
      '50%',
      '__proto__',
    ]) {
      assert.equal(modelNameFault(name), undefined, name);
    }
  });

  for (const [name, fault] of [
    ['', /empty/],
    [' \t', /empty/],
    ['.', /dot/],
    ['..', /dot/],
    ['.hidden', /dot/],
    ['a/b', /slash/],
    ['..\\windows', /dot/],
    ['a\\b', /backslash/],
    ['a\0b', /control character/],
    ['a\nb', /control character/],
    ['a\u2028b', /control character/],
    ['a\ufffdb', /not UTF-8/],
    ['a\ud800', /not UTF-8/],
    [' a', /space/],
    ['a ', /space/],
    ['ä'.repeat(128), /longer than 255 bytes/],
  ] as const) {
    test(`finds one in ${JSON.stringify(name.slice(0, 20))}`, () => assert.match(modelNameFault(name) ?? '', fault));
  }
});

describe('checkModelName', () => {
  test('throws model_name_invalid with the reason', () => {
    assert.throws(() => checkModelName('../etc'), {
      code: 'model_name_invalid',
      message: "'../etc' cannot be the name of a model: it begins with a dot",
    });
    assert.doesNotThrow(() => checkModelName('m'));
  });
});
