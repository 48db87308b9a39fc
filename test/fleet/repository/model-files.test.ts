import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { loadModelConfig } from '../../../src/fleet/repository/load-config.ts';
import { locateModelFile } from '../../../src/fleet/repository/model-files.ts';
import { parseModelConfig } from '../../../src/fleet/repository/parse-model-config.ts';
import { scratch, writeTree } from './repository-tree.ts';

const named = (file: string) => parseModelConfig(`default_model_filename: "${file}"`, 'm').config;

describe('locateModelFile', () => {
  test('finds the file of a version', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'm/1/model.onnx': '',
      'm/2/model.ort': '',
      'm/3/net.bin': '',
      'm/4/model.savedmodel/saved_model.pb': '',
      'm/5/model.onnx/model.onnx': '',
    });
    const model = { name: 'm', path: join(root, 'm') };
    assert.equal(await locateModelFile(model, 1), join(root, 'm/1/model.onnx'));
    assert.equal(await locateModelFile(model, 2), join(root, 'm/2/model.ort'));
    assert.equal(await locateModelFile(model, 3, named('net.bin')), join(root, 'm/3/net.bin'));
    assert.equal(await locateModelFile(model, 4), join(root, 'm/4/model.savedmodel'));
    assert.equal(await locateModelFile(model, 5), join(root, 'm/5/model.onnx/model.onnx'));
  });

  test('takes a single file for the model itself', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'net.onnx': '' });
    assert.equal(await locateModelFile({ name: 'net', path: join(root, 'net.onnx') }, 1), join(root, 'net.onnx'));
  });

  test('says what it looked for, what is there instead, and no path of this host', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/1/resnet.onnx': '', 'm/1/labels.txt': '' });
    const model = { name: 'm', path: join(root, 'm') };
    const missing = (version: number, file: string) => locateModelFile(model, version, named(file));
    await assert.rejects(missing(1, 'model.onnx'), {
      code: 'model_file_missing',
      message:
        "model 'm' version 1 has no model file: looked for model.onnx in 'm/1', which holds labels.txt, resnet.onnx",
    });
    await assert.rejects(missing(2, 'x.onnx'), {
      message:
        "model 'm' version 2 has no model file: looked for x.onnx in 'm/2', which holds nothing: the directory does not exist",
    });
  });

  test('does not follow links out of the repository unless it may, wherever in the path they are', async (t) => {
    const outside = scratch(t);
    const root = scratch(t);
    writeTree(outside, { 'net.onnx': '' });
    writeTree(root, {
      'm/1/model.onnx': [join(outside, 'net.onnx')],
      'm/2/deep': [outside],
      'm/3/model.onnx': ['../4/real.onnx'],
      'm/4/real.onnx': '',
    });
    const model = { name: 'm', path: join(root, 'm') };
    await assert.rejects(locateModelFile(model, 1), { code: 'link_outside' });
    await assert.rejects(locateModelFile(model, 2, named('deep/net.onnx')), { code: 'link_outside' });
    assert.equal(await locateModelFile(model, 3), join(root, 'm/3/model.onnx'));
    assert.equal(await locateModelFile(model, 1, undefined, { followOutside: true }), join(root, 'm/1/model.onnx'));
  });
});

describe('loadModelConfig', () => {
  test('reads the file, or the override in its place, or neither', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/config.pbtxt': '\ufeffmax_batch_size: 3', 'bare/': '', 'net.onnx': '' });
    const model = { name: 'm', path: join(root, 'm') };
    assert.equal((await loadModelConfig(model))?.config.maxBatchSize, 3);
    assert.equal((await loadModelConfig(model, '{"max_batch_size":5}'))?.config.maxBatchSize, 5);
    assert.equal(await loadModelConfig({ name: 'bare', path: join(root, 'bare') }), undefined);
    assert.equal(await loadModelConfig({ name: 'net', path: join(root, 'net.onnx') }), undefined);
  });

  test('reads long files whole and refuses those over the bound', async (t) => {
    const root = scratch(t);
    writeTree(root, {
      'm/config.pbtxt': `${'# a line of comment\n'.repeat(4_000)}max_batch_size: 3`,
      'huge/config.pbtxt': '#'.repeat(2 * 1024 * 1024),
    });
    assert.equal((await loadModelConfig({ name: 'm', path: join(root, 'm') }))?.config.maxBatchSize, 3);
    await assert.rejects(loadModelConfig({ name: 'huge', path: join(root, 'huge') }), {
      code: 'config_malformed',
      message: /longer than 393216 bytes/,
    });
  });

  test('says what keeps a file from being read', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'm/config.pbtxt/': '' });
    await assert.rejects(loadModelConfig({ name: 'm', path: join(root, 'm') }), {
      code: 'repository_unreadable',
      message: /'m\/config.pbtxt' cannot be read: EISDIR/,
    });
  });
});
