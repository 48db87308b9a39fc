import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { checkModelList } from '../../../src/fleet/repository/model-list.ts';
import { parseModelListFile } from '../../../src/fleet/repository/model-list-file.ts';

// as TensorFlow Serving's documentation has it (g3doc/serving_config.md)
const documented = `
model_config_list {
  config {
    name: 'my_first_model'
    base_path: '/tmp/my_first_model/'
    model_platform: 'tensorflow'
  }
  config {
    name: 'my_second_model'
    base_path: '/tmp/my_second_model/'
    model_platform: 'tensorflow'
    model_version_policy {
      specific {
        versions: 42
        versions: 43
      }
    }
    version_labels {
      key: 'stable'
      value: 42
    }
    version_labels {
      key: 'canary'
      value: 43
    }
  }
}`;

const parse = (text: string) => parseModelListFile(text, 'models.config');

describe('parseModelListFile', () => {
  test('reads models, policies and labels', () => {
    const { models, notices } = parse(documented);
    assert.deepEqual(notices, []);
    assert.deepEqual(checkModelList(models), [
      { name: 'my_first_model', path: '/tmp/my_first_model', policy: undefined, labels: new Map() },
      {
        name: 'my_second_model',
        path: '/tmp/my_second_model',
        policy: { kind: 'specific', versions: [42, 43] },
        labels: new Map([
          ['stable', 42],
          ['canary', 43],
        ]),
      },
    ]);
  });

  test('reads each policy, and the deprecated type', () => {
    const policies = ['all {}', 'latest { num_versions: 2 }', 'latest {}', 'specific { versions: 7 }', ''];
    const text = policies.map(
      (policy, i) => `config { name: "m${i}" model_type: TENSORFLOW model_version_policy { ${policy} } }`,
    );
    assert.deepEqual(
      parse(`model_config_list { ${text.join('\n')} }`).models.map(({ versionPolicy, platform }) => [
        versionPolicy,
        platform,
      ]),
      [
        [{ kind: 'all' }, 'tensorflow'],
        [{ kind: 'latest', count: 2 }, 'tensorflow'],
        [{ kind: 'latest', count: 1 }, 'tensorflow'],
        [{ kind: 'specific', versions: [7] }, 'tensorflow'],
        [undefined, 'tensorflow'],
      ],
    );
  });

  test('tells what has no effect', () => {
    const { notices } = parse('model_config_list { config { name: "m" logging_config { sampling_config { } } } }');
    assert.match(notices.join(), /logging_config at line 1.*requests are not logged/);
  });

  test('refuses what it does not know, with the place', () => {
    assert.throws(() => parse('model_config_list {\n  confg { }\n}'), { facts: { ...where('line 2, column 3') } });
    assert.throws(() => parse('custom_model_config { }'), /list the models in a model_config_list/);
  });
});

function where(place: string) {
  return { model: 'models.config', where: place, reason: 'ModelConfigList has no field "confg"; it has config' };
}

describe('checkModelList', () => {
  const listed = { name: 'm', basePath: '/models/m', platform: '', versionPolicy: undefined, labels: new Map() };
  const refusals: [title: string, models: Parameters<typeof checkModelList>[0], text: RegExp][] = [
    ['a model twice', [listed, listed], /^Illegal to list model m multiple times in config list$/],
    ['a relative path', [{ ...listed, basePath: 'm' }], /^Expected model m to have an absolute path/],
    ['a path elsewhere', [{ ...listed, basePath: 'gs://b/m' }], /on this machine; got base_path\(\)=gs:\/\/b\/m$/],
    ['a platform that is none', [{ ...listed, platform: 'x' }], /^Model m requests unsupported platform x$/],
    ['a name that is none', [{ ...listed, name: 'a/b' }], /'a\/b' cannot be the name of a model/],
  ];
  for (const [title, models, text] of refusals) {
    test(`refuses ${title}`, () => assert.throws(() => checkModelList(models), { message: text }));
  }
});
