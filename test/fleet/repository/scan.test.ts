import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { diffRepository } from '../../../src/fleet/repository/diff-repository.ts';
import { locateModelFile } from '../../../src/fleet/repository/model-files.ts';
import { type RepositoryScan, scanPart, scanRepository } from '../../../src/fleet/repository/scan.ts';
import { scratch, touch, writeTree } from './repository-tree.ts';

/** Long after every file of the tests was written: time stamps are believed. */
const later = { nowMs: Date.now() + 3_600_000 };
const scan = (root: string, previous?: RepositoryScan) => scanRepository(root, previous, later);
const names = (scanned: RepositoryScan) => [...scanned.models.keys()];
const versions = (scanned: RepositoryScan, name: string) => scanned.models.get(name)?.versions;
const problem = (scanned: RepositoryScan, name: string) => scanned.models.get(name)?.problem;

describe('scanRepository', () => {
  test('finds models with and without a configuration, and the versions that the policy serves', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'plain/1/model.onnx': '',
      'plain/3/model.onnx': '',
      'all/config.pbtxt': 'version_policy { all { } }',
      'all/1/model.onnx': '',
      'all/12/model.ort': '',
      'own/config.pbtxt': 'default_model_filename: "net.bin" backend: "onnxruntime"',
      'own/7/net.bin': '',
      'saved/1/model.savedmodel/saved_model.pb': '',
    });
    const scanned = await scan(root);
    assert.deepEqual(names(scanned), ['all', 'own', 'plain', 'saved']);
    const shown = [...scanned.models.values()].map(({ versions: numbers, hasConfig, problem: fault }) => [
      numbers,
      hasConfig,
      fault,
    ]);
    assert.deepEqual(shown, [
      [[1, 12], true, undefined],
      [[7], true, undefined],
      [[3], false, undefined],
      [[1], false, undefined],
    ]);
    assert.equal(scanned.models.get('plain')?.path, join(root, 'plain'));
    assert.deepEqual(
      [...scanned.models.values()].map(({ engine }) => engine),
      [undefined, undefined, undefined, 'tensorflow'],
    );
    assert.deepEqual(scanned.notices, []);
  });

  test('tells the engine by the configuration where that names it, else by the newest file', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'frozen/1/model.graphdef': '',
      'named/config.pbtxt': 'backend: "tensorflow" default_model_filename: "net"',
      'named/1/net': '',
      'serving/1/saved_model.pb': '',
    });
    const engines = [...(await scan(root)).models.values()].map(({ engine, problem: fault }) => [engine, fault]);
    assert.deepEqual(engines, Array(3).fill(['tensorflow', undefined]));
  });

  test("takes TensorFlow Serving's versions with leading zeros, of SavedModels in its layout alone", async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'half/00000123/saved_model.pb': '',
      'both/0007/saved_model.pb': '',
      'both/7/saved_model.pb': '',
      'onnx/01/model.onnx': '',
    });
    const scanned = await scan(root);
    assert.deepEqual(versions(scanned, 'half'), [123]);
    assert.deepEqual(versions(scanned, 'both'), [7]);
    assert.deepEqual(versions(scanned, 'onnx'), []);
    const file = await locateModelFile({ name: 'half', path: join(root, 'half') }, 123);
    assert.equal(file, join(root, 'half/00000123/saved_model.pb'));
    assert.deepEqual(versions(await scan(root, scanned), 'half'), [123]);
  });

  test('takes a version without a model file for not there yet', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/1/model.onnx': '', 'm/2/': '' });
    const before = await scan(root);
    assert.deepEqual(versions(before, 'm'), [1]);
    writeFileSync(join(root, 'm/2/model.onnx'), '');
    assert.deepEqual(versions(await scan(root, before), 'm'), [2]);
  });

  test('knows a model whose configuration cannot be read, with its error and without versions', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'm/config.pbtxt': 'max_batch_size: many',
      'm/1/model.onnx': '',
      'latin/config.pbtxt': '# \u00e9',
    });
    writeFileSync(join(root, 'latin/config.pbtxt'), Buffer.from([0x23, 0xe9]));
    const broken = await scan(root);
    assert.deepEqual(versions(broken, 'm'), []);
    assert.match(problem(broken, 'm') ?? '', /the configuration of model 'm' is wrong at line 1, column 17/);
    assert.match(problem(broken, 'latin') ?? '', /it is not UTF-8/);
    writeFileSync(join(root, 'm/config.pbtxt'), 'max_batch_size: 8');
    const mended = await scan(root, broken);
    assert.deepEqual([versions(mended, 'm'), problem(mended, 'm')], [[1], undefined]);
  });

  test('keeps the versions of a model whose configuration cannot be read any more, with its error', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/config.pbtxt': 'max_batch_size: 8', 'm/1/model.onnx': '' });
    const before = await scan(root);
    writeFileSync(join(root, 'm/config.pbtxt'), 'max_batch_');
    let broken = before;
    for (let n = 0; n < 2; n++) {
      broken = await scan(root, broken);
      assert.deepEqual(broken.models.get('m')?.versionStamps, before.models.get('m')?.versionStamps);
      assert.match(problem(broken, 'm') ?? '', /the configuration of model 'm' is wrong/);
    }
    writeFileSync(join(root, 'm/config.pbtxt'), 'max_batch_size: 16');
    const mended = await scan(root, broken);
    assert.equal(problem(mended, 'm'), undefined);
    assert.notDeepEqual(mended.models.get('m')?.versionStamps, before.models.get('m')?.versionStamps);
  });

  test('knows a model that has no version, and says what is missing', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'empty/': '',
      'old/01/model.onnx': '',
      'bare/1/weights.bin': '',
      'pinned/1/model.onnx': '',
      'pinned/config.pbtxt': 'version_policy { specific { versions: 2 } }',
    });
    const scanned = await scan(root);
    const rule = (name: string) => `at least one version must be available under the version policy of model '${name}'`;
    assert.equal(problem(scanned, 'empty'), rule('empty'));
    assert.equal(problem(scanned, 'old'), rule('old'));
    assert.equal(problem(scanned, 'pinned'), rule('pinned'));
    assert.match(problem(scanned, 'bare') ?? '', /no version directory holds one of model\.onnx, model\.ort, /);
    assert.deepEqual(scanned.notices, [
      { name: 'old/01', reason: 'a version is a whole number from 1 without leading zeros' },
    ]);
  });

  test('passes over hidden entries and files, and gives notice of names that no model can have', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      '.git/1/model.onnx': '',
      'README.md': '',
      'lone.onnx': '',
      'a\nb/1/model.onnx': '',
      'Ünï 3.5/1/model.onnx': '',
    });
    const scanned = await scan(root);
    assert.deepEqual(names(scanned), ['Ünï 3.5']);
    assert.deepEqual(scanned.notices.map(({ name }) => name).sort(), ['a\nb', 'lone.onnx']);
  });

  test('does not follow links out of the repository unless it may', async (t) => {
    const outside = scratch(t);
    const root = scratch(t);
    writeTree(outside, { 'm/1/model.onnx': '', 'model.onnx': '' });
    writeTree(root, {
      'real/1/model.onnx': '',
      inner: ['real'],
      directory: [join(outside, 'm')],
      'version/1': [join(outside, 'm/1')],
      'file/1/model.onnx': [join(outside, 'model.onnx')],
      'config/config.pbtxt': [join(outside, 'model.onnx')],
      dangling: ['nowhere'],
    });
    const strict = await scan(root);
    assert.deepEqual(names(strict), ['config', 'directory', 'file', 'inner', 'real', 'version']);
    assert.deepEqual(versions(strict, 'inner'), [1]);
    for (const [name, link] of [
      ['directory', 'directory'],
      ['version', 'version/1'],
      ['file', 'file/1/model.onnx'],
      ['config', 'config/config.pbtxt'],
    ] as const) {
      assert.ok(
        problem(strict, name)?.startsWith(`'${link}' is a link that leads out of the model repository`),
        problem(strict, name),
      );
    }
    const lax = await scanRepository(root, undefined, { ...later, followOutside: true });
    assert.deepEqual(
      ['directory', 'version', 'file'].map((name) => versions(lax, name)),
      [[1], [1], [1]],
    );
  });

  test('takes a neighbour whose path begins alike for outside', async (t) => {
    const directory = scratch(t);
    writeTree(directory, { 'models-old/m/1/model.onnx': '', 'models/m': ['../models-old/m'] });
    assert.match(problem(await scan(join(directory, 'models')), 'm') ?? '', /^'m' is a link that leads out/);
  });

  test('follows a link of the repository itself', async (t) => {
    const directory = scratch(t);
    writeTree(directory, { 'models/m/1/model.onnx': '', link: ['models'] });
    const scanned = await scan(join(directory, 'link'));
    assert.equal(scanned.models.get('m')?.path, join(directory, 'models/m'));
  });

  test('keeps the entries of models that did not change, and finds every change by itself', async (t) => {
    const root = scratch(t);
    const model = (name: string) => ({ [`${name}/config.pbtxt`]: '# 1', [`${name}/1/model.onnx`]: 'one' });
    writeTree(root, { ...model('a'), ...model('b'), ...model('c'), ...model('d') });
    for (const name of ['a', 'b', 'c', 'd'])
      for (const file of ['config.pbtxt', '1/model.onnx', '.']) touch(join(root, name, file), 1_000);
    const first = await scan(root);
    const again = await scan(root, first);
    for (const name of names(first)) {
      assert.equal(again.models.get(name), first.models.get(name));
      assert.equal(again.memory.get(name), first.memory.get(name));
    }
    const seen = async (previous: RepositoryScan, change: () => void) => {
      change();
      const next = await scan(root, previous);
      const { added, removed, changed } = diffRepository(previous, next);
      return { next, seen: [...added, ...changed].map(({ name }) => name).concat(removed) };
    };
    const steps: readonly [name: string, change: () => void][] = [
      ['a', () => writeFileSync(join(root, 'a/1/model.onnx'), 'longer')],
      ['a', () => touch(join(root, 'a/1/model.onnx'), 2_000)],
      ['b', () => touch(join(root, 'b/config.pbtxt'), 2_000)],
      ['b', () => rmSync(join(root, 'b/config.pbtxt'))],
      ['c', () => writeTree(root, { 'c/2/model.onnx': '' })],
      ['c', () => rmSync(join(root, 'c/2'), { recursive: true })],
      ['d', () => rmSync(join(root, 'd/1/model.onnx'))],
      ['d', () => rmSync(join(root, 'd'), { recursive: true })],
      ['e', () => writeTree(root, { 'e/1/model.onnx': '' })],
    ];
    let previous = again;
    for (const [name, change] of steps) {
      const step = await seen(previous, change);
      assert.deepEqual(step.seen, [name]);
      previous = step.next;
    }
  });

  test('stamps each version by its own file, so that another version does not change it', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/config.pbtxt': 'version_policy { all { } }', 'm/1/model.onnx': '' });
    const before = await scan(root);
    writeTree(root, { 'm/2/model.onnx': 'other' });
    const after = await scan(root, before);
    const [old, current] = [before.models.get('m')!, after.models.get('m')!];
    assert.notEqual(old.stamp, current.stamp);
    assert.deepEqual([old.versions, current.versions], [[1], [1, 2]]);
    assert.deepEqual(old.versionStamps, current.versionStamps.slice(0, 1));
    assert.notEqual(current.versionStamps[1], current.versionStamps[0]);
  });

  test('lists a directory again that changed a moment before it was looked at', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/1/model.onnx': '' });
    touch(join(root, 'm'), 1_000);
    const first = await scanRepository(root, undefined, { nowMs: 1_000_500 });
    mkdirSync(join(root, 'm/2'));
    writeFileSync(join(root, 'm/2/model.onnx'), '');
    touch(join(root, 'm'), 1_000);
    assert.deepEqual(versions(await scanRepository(root, first, { nowMs: 1_003_000 }), 'm'), [2]);
  });

  test('looks at a part, and returns what was found before where nothing has changed', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '', 'b/1/model.onnx': '', 'b/01x/model.onnx': '', 'lone.onnx': '' });
    const first = await scan(root);
    const part = (names: readonly string[], news: boolean, previous = first) =>
      scanPart(root, previous, { names, news }, later);
    assert.equal(await part(['a', 'b'], true), first);
    touch(join(root, 'a/1/model.onnx'), 1_000);
    touch(join(root, 'b/1/model.onnx'), 1_000);
    const second = await part(['a'], false);
    assert.notEqual(second.models.get('a')?.stamp, first.models.get('a')?.stamp);
    assert.equal(second.models.get('b'), first.models.get('b'));
    writeTree(root, { 'c/1/model.onnx': '' });
    rmSync(join(root, 'a'), { recursive: true });
    touch(root, 5_000);
    const third = await part([], true, second);
    assert.deepEqual(names(third).sort(), ['b', 'c']);
    assert.deepEqual(third.notices, first.notices);
    assert.equal(third.models.get('b'), first.models.get('b'));
    await assert.rejects(scanPart('/nowhere/at/all', first, { names: [], news: true }, later), {
      code: 'repository_unreadable',
    });
  });

  test('follows an exchange of directories by renaming', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/1/model.onnx': 'old', 'next/1/model.onnx': 'newer' });
    const before = await scan(root);
    rmSync(join(root, 'm'), { recursive: true });
    renameSync(join(root, 'next'), join(root, 'm'));
    const { changed, removed } = diffRepository(before, await scan(root, before));
    assert.deepEqual([changed.map(({ name }) => name), removed], [['m'], ['next']]);
  });

  test('rejects for a directory that is not there', async () => {
    await assert.rejects(scan('/nowhere/at/all'), {
      code: 'repository_unreadable',
      message: /'\/nowhere\/at\/all' cannot be read: ENOENT/,
    });
  });
});
