import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { temporaryDirectory } from './fixtures/model-folder.ts';

const launcher = join(import.meta.dirname, '../skein');

/** What Node says of its cache of compiled code while `skein version` runs. */
function cacheTalk(codeCache?: string): string {
  const { NODE_COMPILE_CACHE: _, ...own } = process.env;
  const env = {
    ...own,
    NODE_DEBUG_NATIVE: 'COMPILE_CACHE',
    ...(codeCache !== undefined && { NODE_COMPILE_CACHE: codeCache }),
  };
  const { status, stderr, stdout } = spawnSync(process.execPath, [launcher, 'version'], { env, encoding: 'utf8' });
  assert.equal(status, 0);
  return stdout + stderr;
}

describe('the launcher', () => {
  test('spares a second start what Node made of the sources at the first', (t) => {
    const directory = temporaryDirectory(t);
    assert.match(cacheTalk(directory), /no transpile cache for StrippedTypeScript \S+src\/cli\/main\.ts/);
    assert.match(cacheTalk(directory), /transpile cache for StrippedTypeScript \S+src\/cli\/main\.ts\.\.\.success/);
  });

  test('keeps that in the clone, where nobody says where', () => {
    assert.match(cacheTalk(), /node_modules\/\.cache\/skein\/\S+ for StrippedTypeScript \S+src\/cli\/main\.ts/);
  });
});
