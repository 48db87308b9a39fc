import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { modelBytes } from '../../../../src/backends/engines/onnx/model-bytes.ts';
import { temporaryDirectory } from '../../../fixtures/model-folder.ts';
import { externalDataModel } from '../../../fixtures/storage-models.ts';
import { writeModel } from './opened-engine.ts';

const { model } = externalDataModel();

test('modelBytes is the size of a model that lies alone', async (t) => {
  assert.equal(await modelBytes(writeModel(temporaryDirectory(t), model)), model.length);
});

test('modelBytes counts the external data that a model names, and no other file beside it', async (t) => {
  const path = writeModel(temporaryDirectory(t), model);
  writeFileSync(join(dirname(path), 'weights.bin'), Buffer.alloc(5_000));
  writeFileSync(join(dirname(path), 'other.onnx'), Buffer.alloc(7_000));
  assert.equal(await modelBytes(path), model.length + 5_000);
});

test('modelBytes counts nothing outside the directory, and nothing that is not there', async (t) => {
  const directory = temporaryDirectory(t);
  writeFileSync(join(directory, 'weights.bin'), Buffer.alloc(5_000));
  for (const location of ['../weights.bin', '/etc/passwd', 'missing.bin']) {
    const named = externalDataModel(location).model;
    const path = writeModel(directory, named);
    writeFileSync(join(dirname(path), 'labels.txt'), 'cat');
    assert.equal(await modelBytes(path), named.length, location);
  }
});

test('modelBytes rejects where there is no model', async (t) => {
  await assert.rejects(modelBytes(join(temporaryDirectory(t), 'model.onnx')), { code: 'ENOENT' });
});
