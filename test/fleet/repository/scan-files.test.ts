import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { scanFiles } from '../../../src/fleet/repository/scan-files.ts';
import { scratch, touch, writeTree } from './repository-tree.ts';

describe('scanFiles', () => {
  test('calls each model like its file, or like its directory in the layout of a repository', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'mobilenet.onnx': '', 'small.v2.ort': '', 'resnet/3/model.onnx': '', 'model.onnx': '' });
    const paths = ['mobilenet.onnx', 'small.v2.ort', 'resnet/3/model.onnx', 'model.onnx'].map((file) =>
      join(root, file),
    );
    const { models } = await scanFiles(paths, undefined);
    assert.deepEqual([...models.keys()], ['mobilenet', 'small.v2', 'resnet', 'model']);
    const [first] = models.values();
    assert.deepEqual([first?.layout, first?.path, first?.versions, first?.hasConfig], ['file', paths[0], [1], false]);
  });

  test('keeps the entry of a file that did not change and stamps one that did', async (t) => {
    const root = scratch(t);
    const path = join(root, 'm.onnx');
    writeTree(root, { 'm.onnx': '' });
    const first = await scanFiles([path], undefined);
    const second = await scanFiles([path], first);
    assert.equal(second.models.get('m'), first.models.get('m'));
    touch(path, 1_000);
    assert.notEqual((await scanFiles([path], second)).models.get('m')?.stamp, first.models.get('m')?.stamp);
  });

  test('knows a file that is missing, as it may come back', async (t) => {
    const root = scratch(t);
    const path = join(root, 'm.onnx');
    const missing = await scanFiles([path], undefined);
    assert.deepEqual(
      [missing.models.get('m')?.versions, missing.models.get('m')?.problem],
      [[], `there is no file '${path}'`],
    );
    writeTree(root, { 'm.onnx': '' });
    assert.deepEqual((await scanFiles([path], missing)).models.get('m')?.versions, [1]);
    rmSync(path);
  });

  test('refuses two files of one name, and what is no model file', async () => {
    await assert.rejects(scanFiles(['/a/m.onnx', '/b/m.ort'], undefined), {
      code: 'model_name_invalid',
      message: /'\/a\/m.onnx' and '\/b\/m.ort' would both be called so/,
    });
    await assert.rejects(scanFiles(['/a/m.txt'], undefined), {
      code: 'model_name_invalid',
      message: /ends in .onnx, .ort, .savedmodel or .graphdef/,
    });
    await assert.rejects(scanFiles(['/a/.hidden.onnx'], undefined), {
      code: 'model_name_invalid',
      message: /begins with a dot/,
    });
  });
});
