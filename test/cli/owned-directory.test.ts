import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { makeSocketDirectory, ownedDirectory } from '../../src/cli/owned-directory.ts';
import { temporaryDirectory } from '../fixtures/model-folder.ts';

describe('makeSocketDirectory', () => {
  test('sweeps what a killed process left, and nothing of one that lives or of somebody else', (t) => {
    const parent = temporaryDirectory(t);
    const { pid: gone } = spawnSync(process.execPath, ['--version']);
    const left = join(parent, `skein-${gone}-abc`);
    const kept = [`skein-${process.ppid}-abc`, 'skein-notes', `other-${gone}-abc`].map((name) => join(parent, name));
    for (const path of [left, ...kept]) mkdirSync(path);
    writeFileSync(join(left, 'b1.sock'), '');
    const made = makeSocketDirectory(parent);
    assert.ok(statSync(made).isDirectory());
    assert.equal(existsSync(left), false);
    for (const path of kept) assert.ok(existsSync(path), path);
  });

  test('sweeps what a killed process of its own number left, and not what it uses itself', (t) => {
    const parent = temporaryDirectory(t);
    const left = join(parent, `skein-${process.pid}-abc`);
    mkdirSync(left);
    const first = makeSocketDirectory(parent);
    const second = makeSocketDirectory(parent);
    assert.deepEqual(
      [left, first, second].map((path) => existsSync(path)),
      [false, true, true],
    );
  });

  test('is not made before it is needed, nor is its parent', (t) => {
    const parent = join(temporaryDirectory(t), 'not', 'there');
    assert.match(ownedDirectory(parent), /skein-\d+-[0-9a-f]{8}$/);
    assert.equal(existsSync(parent), false);
  });

  test('is removed when its process ends', (t) => {
    const parent = temporaryDirectory(t);
    const module = join(import.meta.dirname, '../../src/cli/owned-directory.ts');
    const program = `import { makeSocketDirectory } from ${JSON.stringify(module)}; console.log(makeSocketDirectory(${JSON.stringify(parent)}))`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    assert.match(stdout, /skein-\d+-/);
    assert.equal(existsSync(stdout.trim()), false);
  });
});
