import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { locateModelFile } from '../../../src/fleet/repository/model-files.ts';
import { ModelListSource } from '../../../src/fleet/repository/model-list-source.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';

/** `<model>/<directory>/<file>` below a fresh directory. */
function tree(t: Parameters<typeof temporaryDirectory>[0], ...files: string[]): string {
  const root = temporaryDirectory(t);
  for (const file of files) {
    mkdirSync(join(root, file, '..'), { recursive: true });
    writeFileSync(join(root, file), 'x');
  }
  return root;
}

const config = (name: string, path: string, more = '') => `config { name: "${name}" base_path: "${path}" ${more} }`;
const list = (...configs: string[]) => `model_config_list { ${configs.join('\n')} }`;

async function versionsOf(source: ModelListSource) {
  const { models } = await source.scan({ models: new Map(), notices: [], memory: new Map() }, Date.now());
  return [...models.values()].map(({ name, versions, problem }) => [name, problem === undefined ? versions : problem]);
}

describe('ModelListSource', () => {
  test('finds versions as TensorFlow Serving lays them out, leading zeros and all', async (t) => {
    const root = tree(t, 'half/00000123/saved_model.pb', 'half/7/saved_model.pb', 'other/2/model.onnx');
    writeFileSync(
      join(root, 'models.config'),
      list(
        config('half', join(root, 'half'), 'model_version_policy { all {} }'),
        config('renamed', join(root, 'other')),
      ),
    );
    const source = new ModelListSource(join(root, 'models.config'));
    assert.deepEqual(await versionsOf(source), [
      ['half', [7, 123]],
      ['renamed', [2]],
    ]);
    assert.equal(
      await locateModelFile({ name: 'half', path: join(root, 'half') }, 123),
      join(root, 'half/00000123/saved_model.pb'),
    );
  });

  test('serves the newest version where nothing else is said, and knows models that are not there yet', async (t) => {
    const root = tree(t, 'm/1/model.onnx', 'm/2/model.onnx');
    writeFileSync(join(root, 'l'), list(config('m', join(root, 'm')), config('gone', join(root, 'gone'))));
    const [m, gone] = await versionsOf(new ModelListSource(join(root, 'l')));
    assert.deepEqual(m, ['m', [2]]);
    assert.match(String(gone), /there is no directory/);
  });

  test('changes a model when only its policy or its labels change', async (t) => {
    const root = tree(t, 'm/1/model.onnx', 'm/2/model.onnx');
    const path = join(root, 'l');
    const write = (more: string) => writeFileSync(path, list(config('m', join(root, 'm'), more)));
    write('version_labels { key: "a" value: 2 }');
    const source = new ModelListSource(path);
    const first = await source.scan(undefined, Date.now());
    assert.deepEqual(first.models.get('m')?.labels, new Map([['a', 2]]));
    assert.equal((await source.scan(first, Date.now())).models.get('m'), first.models.get('m'));
    write('model_version_policy { specific { versions: 1 } } version_labels { key: "long" value: 1 }');
    const second = await source.scan(first, Date.now());
    assert.deepEqual(second.models.get('m')?.versions, [1]);
    assert.deepEqual(second.models.get('m')?.labels, new Map([['long', 1]]));
  });

  test('fails for a wrong file at the start, and keeps what it had later', async (t) => {
    const root = tree(t, 'm/1/model.onnx');
    const path = join(root, 'l');
    writeFileSync(path, 'model_config_list {');
    await assert.rejects(
      new ModelListSource(path).scan(undefined, Date.now()),
      /the file .*\/l cannot be used: line 1/,
    );
    writeFileSync(path, list(config('m', join(root, 'm'))));
    const source = new ModelListSource(path);
    const first = await source.scan(undefined, Date.now());
    writeFileSync(path, 'nonsense');
    const later = await source.scan(first, Date.now());
    assert.deepEqual([...later.models.keys()], ['m']);
    assert.equal(later.notices.length, 1);
  });

  test('takes another list, all or nothing', async (t) => {
    const root = tree(t, 'm/1/model.onnx', 'n/1/model.onnx');
    const source = new ModelListSource('');
    const listed = (name: string, labels: [string, number][] = []) => ({
      ...{ name, basePath: join(root, name), platform: 'onnx', versionPolicy: undefined },
      labels: new Map(labels),
    });
    await source.replace([listed('m', [['stable', 1]])], Date.now());
    assert.deepEqual(await versionsOf(source), [['m', [1]]]);
    const wrongLabel = source.replace([listed('n', [['stable', 2]])], Date.now());
    await assert.rejects(wrongLabel, {
      message: 'Request to assign label to version 2 of model n, which is not currently available for inference',
    });
    await assert.rejects(source.replace([listed('n'), listed('n')], Date.now()), { code: 'model_list' });
    assert.deepEqual(await versionsOf(source), [['m', [1]]]);
    await source.replace([listed('n')], Date.now());
    assert.deepEqual(await versionsOf(source), [['n', [1]]]);
  });
});
