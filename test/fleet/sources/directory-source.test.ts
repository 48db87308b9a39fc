import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { parseAllowList } from '../../../src/fleet/sources/allow-list.ts';
import { DirectorySource } from '../../../src/fleet/sources/directory-source.ts';
import { SourceGate } from '../../../src/fleet/sources/source-gate.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { fileReaderContract } from './file-reader.contract.ts';

function readerOf(root: string): DirectorySource {
  const list = parseAllowList(pathToFileURL(join(root, 'm')).href);
  return new DirectorySource(new SourceGate('fault' in list ? [] : list, 'public'));
}

fileReaderContract('DirectorySource', async (t, files) => {
  const root = temporaryDirectory(t);
  for (const [path, bytes] of Object.entries({ ...files, 'secret/1/model.onnx': Buffer.from('s') })) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), bytes);
  }
  return { reader: readerOf(root), urlOf: (path) => pathToFileURL(join(root, path)) };
});

test('DirectorySource follows no link out of what is allowed', async (t) => {
  const root = temporaryDirectory(t);
  mkdirSync(join(root, 'm'));
  writeFileSync(join(root, 'secret'), 's');
  symlinkSync(join(root, 'secret'), join(root, 'm', 'model.onnx'));
  const url = pathToFileURL(join(root, 'm', 'model.onnx'));
  await assert.rejects(readerOf(root).open(url, 0, AbortSignal.timeout(60_000)), { code: 'source_not_allowed' });
});
