import assert from 'node:assert/strict';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { RepositoryNotice } from '../../../src/fleet/repository/repository-model.ts';
import { type RepositoryScan, scanPart, scanRepository } from '../../../src/fleet/repository/scan.ts';
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

  test('looks at one model alone when it is asked for, and believes what it sees', async (t) => {
    const root = scratch(t);
    writeTree(root, { 'a/1/model.onnx': '', 'b/1/model.onnx': '' });
    const looked: string[] = [];
    const { watch, changes } = watching(root, {
      settleMs: 250,
      wait: () => Promise.reject(new Error('nobody waits')),
      parts: {
        root,
        scan: (previous, part) => {
          looked.push(...part.names);
          return scanPart(root, previous, part, later);
        },
      },
    });
    await watch.start();
    writeTree(root, { 'c/1/model.onnx': '' });
    touch(join(root, 'b/1/model.onnx'), 1_000);
    await watch.look('c');
    assert.deepEqual([looked, changes], [['c'], ['+c']]);
    rmSync(join(root, 'a'), { recursive: true });
    await watch.look('a');
    await watch.look('../a');
    await watch.look('b');
    assert.deepEqual(changes, ['+c', '-a', '~b']);
  });

  test('goes round a large repository in parts, sees at once what comes, and each time what is being copied', async (t) => {
    const root = scratch(t);
    const names = Array.from({ length: 40 }, (_, i) => `m${i + 10}`);
    writeTree(root, Object.fromEntries(names.map((name) => [`${name}/1/model.onnx`, ''])));
    const parts: (readonly string[])[] = [];
    let tick = () => {};
    const { watch, changes } = watching(root, {
      pollMs: 4_000,
      settleMs: 100,
      parts: {
        root,
        scan: (previous, part) => {
          if (part.news) parts.push(part.names);
          return scanPart(root, previous, part, later);
        },
      },
      wait: (ms) => (ms === 100 ? duringSettle() : new Promise((resolve) => (tick = resolve))),
    });
    let duringSettle = () => Promise.resolve();
    t.after(() => watch.close());
    await watch.start();
    const next = async () => {
      const before = parts.length;
      tick();
      for (let i = 0; i < 1_000 && parts.length === before; i++) await new Promise((resolve) => setTimeout(resolve, 1));
      await watch.look('nothing'); // what was begun has ended
      await new Promise((resolve) => setTimeout(resolve, 20));
    };
    await next();
    assert.ok(parts[0]!.length < names.length, `${parts[0]!.length} of ${names.length} at once`);
    // Half of it when it is first seen, the whole when it is seen again, and the same from then on.
    writeTree(root, { 'new/1/model.onnx': 'ha' });
    duringSettle = async () => writeFileSync(join(root, 'new/1/model.onnx'), 'whole');
    await next();
    assert.equal(changes.length, 0, 'it was still being written');
    duringSettle = () => Promise.resolve();
    await next();
    assert.ok(parts[2]!.includes('new'), 'it is looked at each time');
    assert.deepEqual(changes, ['+new']);
    touch(join(root, 'm20/1/model.onnx'), 1_000);
    for (let i = 0; i < 400 && !changes.includes('~m20'); i++) await next();
    assert.deepEqual(changes, ['+new', '~m20']);
    const isCalm = () => parts.at(-1)!.every((name) => name === 'new' || name === 'm20');
    for (let i = 0; i < 400 && !isCalm(); i++) await next();
    assert.ok(isCalm(), `nothing else has changed, and ${parts.at(-1)} is scanned`);
    rmSync(join(root, 'm30'), { recursive: true });
    await next();
    assert.deepEqual(changes.slice(2), ['-m30']);
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
