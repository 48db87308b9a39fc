import assert from 'node:assert/strict';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { RepositoryNotice } from '../../../src/fleet/repository/repository-model.ts';
import { type RepositoryScan, scanRepository } from '../../../src/fleet/repository/scan.ts';
import { RepositoryWatch, type RepositoryWatchOptions } from '../../../src/fleet/repository/watch-repository.ts';
import { scratch, touch, writeTree } from './repository-tree.ts';

const later = { nowMs: Date.now() + 3_600_000 };

/** A watch of `root` that looks only when it is told to, and what it said. */
function watching(root: string, options: Partial<RepositoryWatchOptions> = {}) {
  const notices: RepositoryNotice[] = [];
  const changes: string[] = [];
  const watch = new RepositoryWatch({
    scan: (previous: RepositoryScan | undefined) => scanRepository(root, previous, later),
    pollMs: 0,
    settleMs: 0,
    onChange: ({ added, removed, changed }) => {
      changes.push(
        ...added.map(({ name }) => `+${name}`),
        ...removed.map((name) => `-${name}`),
        ...changed.map(({ name }) => `~${name}`),
      );
    },
    onNotice: (notice) => notices.push(notice),
    ...options,
  });
  return { watch, notices, changes };
}

describe('RepositoryWatch', () => {
  test('gives the first look and then only what changes', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '' });
    const { watch, changes } = watching(root);
    assert.deepEqual([...(await watch.start()).models.keys()], ['a']);
    await watch.poll();
    assert.deepEqual(changes, []);
    writeTree(root, { 'b/1/model.onnx': '' });
    touch(join(root, 'a/1/model.onnx'), 1_000);
    await watch.poll();
    assert.deepEqual(changes, ['+b', '~a']);
    assert.deepEqual([...watch.snapshot.models.keys()], ['a', 'b']);
  });

  test('rejects the start where the repository cannot be read', async () => {
    await assert.rejects(watching('/nowhere/at/all').watch.start(), { code: 'repository_unreadable' });
  });

  test('keeps its models while the repository is away, says so once, and goes on when it is back', async (t) => {
    const directory = scratch(t);
    const root = join(directory, 'models');
    writeTree(root, { 'a/1/model.onnx': '' });
    const { watch, changes, notices } = watching(root);
    await watch.start();
    const away = async () => {
      renameSync(root, join(directory, 'away'));
      await watch.poll();
      await watch.poll();
      renameSync(join(directory, 'away'), root);
    };
    await away();
    assert.deepEqual([[...watch.snapshot.models.keys()], changes, notices.length], [['a'], [], 1]);
    writeTree(root, { 'b/1/model.onnx': '' });
    await watch.poll();
    assert.deepEqual(changes, ['+b']);
    await away();
    assert.equal(notices.length, 2, 'a second time is said again');
  });

  test('says what is wrong with a model once, and again when it comes back', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '', 'a/config.pbtxt': 'x' });
    const { watch, notices } = watching(root);
    await watch.start();
    await watch.poll();
    assert.deepEqual(
      notices.map(({ name }) => name),
      ['a'],
    );
    writeFileSync(join(root, 'a/config.pbtxt'), '#ok');
    await watch.poll();
    writeFileSync(join(root, 'a/config.pbtxt'), 'x');
    await watch.poll();
    assert.equal(notices.length, 2);
  });

  test('waits until a file that is being written stays as it is', async (t) => {
    const root = scratch(t);
    const file = join(root, 'a/1/model.onnx');
    writeTree(root, { 'a/1/model.onnx': 'whole' });
    let isCopying = true;
    const { watch, changes } = watching(root, {
      settleMs: 250,
      wait: async (ms) => {
        assert.equal(ms, 250);
        if (isCopying) writeFileSync(file, 'half of it');
      },
    });
    await watch.start();
    const { stamp } = watch.snapshot.models.get('a')!;
    writeFileSync(file, 'ha');
    await watch.poll();
    assert.deepEqual([changes, watch.snapshot.models.get('a')?.stamp], [[], stamp]);
    isCopying = false;
    await watch.poll();
    assert.deepEqual(changes, ['~a']);
  });

  test('looks once for polls that come together', async (t) => {
    const root = scratch(t);
    let looks = 0;
    const { watch } = watching(root, {
      scan: (previous) => {
        looks += 1;
        return scanRepository(root, previous, later);
      },
    });
    await watch.start();
    await Promise.all([watch.poll(), watch.poll(), watch.poll()]);
    assert.equal(looks, 2);
  });

  test('looks again after every wait until it is closed, and reports nothing afterwards', async (t) => {
    const root = scratch(t);
    const waits: (() => void)[] = [];
    let looks = 0;
    const { promise: thirdLook, resolve: atThirdLook } = Promise.withResolvers<void>();
    const { watch, changes } = watching(root, {
      pollMs: 15_000,
      scan: (previous) => {
        looks += 1;
        if (looks === 3) atThirdLook();
        return scanRepository(root, previous, later);
      },
      wait: (ms, signal) =>
        new Promise((resolve, reject) => {
          assert.equal(ms, 15_000);
          signal.addEventListener('abort', reject);
          waits.push(resolve);
          if (looks < 3) resolve();
        }),
    });
    await watch.start();
    await thirdLook;
    writeTree(root, { 'a/1/model.onnx': '' });
    watch.close();
    await watch.poll();
    assert.deepEqual([changes, watch.snapshot.models.size], [[], 0]);
  });
});
