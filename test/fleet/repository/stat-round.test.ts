import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { SeenFile } from '../../../src/fleet/repository/file-stamp.ts';
import { scanPart, scanRepository } from '../../../src/fleet/repository/scan.ts';
import { StatRound } from '../../../src/fleet/repository/stat-round.ts';
import { scratch, touch, writeTree } from './repository-tree.ts';

/** Long after every file of the tests was written: time stamps are believed. */
const later = Date.now() + 3_600_000;

/** Each call is a round and a scan of what it named; resolves with those names. */
async function rounds(root: string, { nowMs = later, now = (): number => 0 } = {}) {
  let scan = await scanRepository(root, undefined, { nowMs });
  const round = new StatRound(root, now);
  round.leave(scan.models.keys());
  return async () => {
    const names = await round.next(1);
    const seen = new Map<string, readonly SeenFile[]>();
    scan = await scanPart(root, scan, { names, news: true, seen }, { nowMs });
    round.note(seen, scan.models);
    return names;
  };
}

const tree = {
  'a/1/model.onnx': 'one',
  'b/1/model.onnx': 'one',
  'b/config.pbtxt': 'max_batch_size: 1',
  'c/1/model.savedmodel/saved_model.pb': 'one',
  'd/1/model.ort': 'one',
  'linked/1/model.onnx': ['../../a/1/model.onnx'],
} as const;

const changes: Readonly<Record<string, readonly [names: readonly string[], change: (root: string) => void]>> = {
  'a file is replaced by one of the same size': [
    ['a', 'linked'],
    (root) => {
      writeFileSync(join(root, 'new'), 'two');
      touch(join(root, 'new'), 1_000);
      renameSync(join(root, 'new'), join(root, 'a/1/model.onnx'));
    },
  ],
  'a file grows, its time as it was': [
    ['d'],
    (root) => {
      const { mtime } = statSync(join(root, 'd/1/model.ort'));
      writeFileSync(join(root, 'd/1/model.ort'), 'longer');
      touch(join(root, 'd/1/model.ort'), mtime.getTime() / 1_000);
    },
  ],
  'a configuration changes': [['b'], (root) => writeFileSync(join(root, 'b/config.pbtxt'), 'max_batch_size: 16')],
  'a configuration comes': [['a'], (root) => writeFileSync(join(root, 'a/config.pbtxt'), '')],
  'a version comes': [['b'], (root) => writeTree(root, { 'b/2/model.onnx': '' })],
  'a version goes': [['b'], (root) => rmSync(join(root, 'b/1'), { recursive: true })],
  'a file comes that goes before another': [['d'], (root) => writeFileSync(join(root, 'd/1/model.onnx'), 'two')],
  'the file at the heart of a directory changes': [
    ['c'],
    (root) => touch(join(root, 'c/1/model.savedmodel/saved_model.pb'), 1_000),
  ],
  'a model goes': [['d'], (root) => rmSync(join(root, 'd'), { recursive: true })],
  'a link leads to a file of the same size and time': [
    ['linked'],
    (root) => {
      rmSync(join(root, 'linked/1/model.onnx'));
      symlinkSync('../../b/1/model.onnx', join(root, 'linked/1/model.onnx'));
    },
  ],
};

describe('StatRound', () => {
  test('leaves to the scan what that has not seen, and nothing of it while nothing changes', async (t) => {
    const root = scratch(t);
    writeTree(root, tree);
    const next = await rounds(root);
    assert.deepEqual(await next(), ['a', 'b', 'c', 'd', 'linked']);
    assert.deepEqual([await next(), await next()], [[], []]);
  });

  for (const [what, [names, change]] of Object.entries(changes)) {
    test(`names what is concerned when ${what}`, async (t) => {
      const root = scratch(t);
      writeTree(root, tree);
      for (const file of ['a/1/model.onnx', 'b/1/model.onnx']) touch(join(root, file), 2_000);
      const next = await rounds(root);
      await next();
      assert.deepEqual(await next(), []);
      change(root);
      assert.deepEqual([await next(), await next()], [names, []]);
    });
  }

  test('leaves a model to the scan whose directory may change again within what time stamps tell apart', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '' });
    const next = await rounds(root, { nowMs: Date.now() });
    assert.deepEqual([await next(), await next()], [['a'], ['a']]);
  });

  test('leaves to the scan what lies on another device, or is absent where nothing else is', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '', 'b/1/model.onnx': '', 'c/': '' });
    const round = new StatRound(root);
    round.leave(['a', 'b', 'c']);
    await round.next(1);
    const see = (path: string): SeenFile => {
      const { mtimeMs, size, dev: device } = statSync(join(root, path));
      return { path, mtimeMs, size, device, targetInode: 0 };
    };
    const away = { path: 'c/1/model.onnx', mtimeMs: -1, size: 0, device: 0, targetInode: 0 };
    const seen = new Map([
      ['a', [see('a'), see('a/1/model.onnx')]],
      ['b', [see('b'), { ...see('b/1/model.onnx'), device: -1 }]],
      ['c', [see('c'), away]],
    ]);
    round.note(seen, seen);
    assert.deepEqual(await round.next(1), ['b', 'c']);
  });

  test('leaves all to the scan when the directory is away', async (t) => {
    const root = join(scratch(t), 'models');
    mkdirSync(root);
    writeTree(root, { 'a/1/model.onnx': '', 'b/1/model.onnx': '' });
    const round = new StatRound(root);
    const scan = await scanRepository(root, undefined, { nowMs: later });
    round.leave(scan.models.keys());
    const seen = new Map<string, readonly SeenFile[]>();
    await scanPart(root, scan, { names: await round.next(1), news: false, seen }, { nowMs: later });
    round.note(seen, scan.models);
    assert.deepEqual(await round.next(1), []);
    renameSync(root, `${root}-away`);
    assert.deepEqual(await round.next(1), ['a', 'b']);
  });

  test('leaves the rest of a share to the scan once its looks were slow, and takes it up again', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '', 'b/1/model.onnx': '', 'c/1/model.onnx': '' });
    let atMs = 0;
    let lookMs = 0;
    const next = await rounds(root, { now: () => (atMs += lookMs) });
    await next();
    assert.deepEqual(await next(), []);
    lookMs = 10;
    assert.deepEqual(await next(), ['b', 'c']);
    lookMs = 0.4; // several slices
    assert.deepEqual(await next(), []);
  });

  test('goes round in shares', async (t) => {
    const root = scratch(t);
    const names = Array.from({ length: 10 }, (_, i) => `m${i}`);
    writeTree(root, Object.fromEntries(names.map((name) => [`${name}/1/model.onnx`, ''])));
    const round = new StatRound(root);
    const scan = await scanRepository(root, undefined, { nowMs: later });
    round.leave(names);
    const left: string[][] = [];
    for (let i = 0; i < 5; i++) {
      const some = await round.next(0.25);
      const seen = new Map<string, readonly SeenFile[]>();
      await scanPart(root, scan, { names: some, news: false, seen }, { nowMs: later });
      round.note(seen, scan.models);
      left.push(some);
    }
    assert.deepEqual(left.flat(), names, 'each once');
    for (const name of names) touch(join(root, name, '1/model.onnx'), 1_000);
    const found = new Set<string>();
    for (let i = 0; i < 20; i++) for (const name of await round.next(0.25)) found.add(name);
    assert.deepEqual([...found].sort(), names);
  });
});
