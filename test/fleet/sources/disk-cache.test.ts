import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { DiskCache, fileKey } from '../../../src/fleet/sources/disk-cache.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { sha256 } from './file-server.ts';

/** As an earlier process left it, oldest first. */
function leave(root: string, names: readonly string[]): void {
  for (const folder of ['files', 'partial', 'models/1/files']) mkdirSync(join(root, folder), { recursive: true });
  for (const [i, name] of names.entries()) {
    writeFileSync(join(root, name), 'x'.repeat(100));
    utimesSync(join(root, name), 1_000 + i, 1_000 + i);
  }
}

describe('DiskCache', () => {
  const [a, b, c] = ['a', 'b', 'c'].map((name) => sha256(name)) as [string, string, string];

  test('takes up what an earlier process left, in the order of its last use, and sweeps the rest', async (t) => {
    const root = temporaryDirectory(t);
    leave(root, [fileKey(b), `partial/${c}`, fileKey(a), 'files/rubbish', 'models/1/files/model.onnx']);
    const { index } = await DiskCache.open(root, 1_000);
    assert.deepEqual([index.usedBytes, index.fit(900)], [300, [fileKey(b), `partial/${c}`]]);
    assert.deepEqual([readdirSync(join(root, 'models')), readdirSync(join(root, 'files')).sort()], [[], [a, b].sort()]);
  });

  test('shrinks to a bound that was lowered', async (t) => {
    const root = temporaryDirectory(t);
    leave(root, [fileKey(b), fileKey(a)]);
    await DiskCache.open(root, 150);
    assert.deepEqual(readdirSync(join(root, 'files')), [a]);
  });

  test('says so where its directory cannot be used', async (t) => {
    const root = temporaryDirectory(t);
    writeFileSync(join(root, 'file'), '');
    await assert.rejects(DiskCache.open(join(root, 'file'), 100), { code: 'state_unusable' });
  });

  test('never gives out room twice to those who ask at once', async (t) => {
    const root = temporaryDirectory(t);
    leave(root, [fileKey(a)]);
    const cache = await DiskCache.open(root, 150);
    const outcomes = await Promise.all([cache.reserve('partial/x', 100), cache.reserve('partial/y', 100)]);
    for (const key of ['partial/x', 'partial/y']) if (cache.index.has(key)) assert.ok(cache.index.usedBytes <= 150);
    assert.ok(outcomes.includes(true));
    assert.ok(cache.index.usedBytes <= 150);
  });
});
