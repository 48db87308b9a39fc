/** Names that pages use exist in the program: flags, variables, metrics, error codes, paths of the HTTP API, files. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { verbsTable } from '../../src/cli/verbs-table.ts';
import { envName, type SettingRow } from '../../src/config/setting.ts';
import { settingsTable } from '../../src/config/settings-table.ts';
import { errorTable } from '../../src/protocol/errors.ts';
import type { Page } from './markdown-page.ts';
import { exposedMetrics } from './metrics-table.ts';
import { allPages } from './page-files.ts';

const root = join(import.meta.dirname, '../..');
const pages = allPages();
const rows = Object.values<SettingRow>(settingsTable);

/** Flags of programs that pages mention beside ours. */
const foreignFlags = [
  'build',
  'scale',
  'no-recreate',
  'replicas',
  'from-literal',
  'data-binary',
  'test',
  'expose-gc',
  'help',
  'client-cert-auth',
  'unshallow',
];
const flags = new Set([
  ...rows.map(({ flag }) => `--${flag}`),
  ...rows.filter(({ kind }) => kind === 'switch').map(({ flag }) => `--no-${flag}`),
  ...Object.values(verbsTable).flatMap(({ options }) => Object.keys(options).map((name) => `--${name}`)),
  ...foreignFlags.map((name) => `--${name}`),
  '--name', // stands for any, in the reference of settings
  '--no-name',
]);
const variables = new Set(rows.map(envName));
const exposed = (await exposedMetrics()).map(({ name }) => name);
const metrics = new Set(exposed.flatMap((name) => [name, `${name}_bucket`, `${name}_sum`, `${name}_count`]));

/** What is written as code, in a line or in a block. */
function codeOf({ prose, blocks }: Page): string {
  const spans = Array.from(prose.matchAll(/`([^`]+)`/g), ([, span]) => span);
  return [...spans, ...blocks.map(({ text }) => text)].join('\n');
}

function unknown(find: RegExp, isKnown: (name: string) => boolean, used = pages): string[] {
  return used.flatMap((page) =>
    Array.from(codeOf(page).matchAll(find), ([, name]) => name!)
      .filter((name) => !isKnown(name))
      .map((name) => `${page.path}: ${name}`),
  );
}

describe('pages', () => {
  test('name flags that exist', () => {
    assert.deepEqual(
      unknown(/(?<![\w-])(--[a-z][a-z0-9-]*)/g, (name) => flags.has(name)),
      [],
    );
  });

  test('name variables that exist', () => {
    assert.deepEqual(
      unknown(/\b(SKEIN_[A-Z0-9_]*[A-Z])\b/g, (name) => variables.has(name)),
      [],
    );
  });

  test('name metrics that exist', () => {
    assert.deepEqual(
      unknown(/\b((?:skein|nv)_[a-z_]*[a-z])\b(?!\*)/g, (name) => metrics.has(name)),
      [],
    );
  });

  test('name errors that exist', () => {
    // Code spans of two words and more that look like a code, in the pages that speak of errors by code.
    const speaking = pages.filter(({ path }) => /queues-and-bounds|failures/.test(path));
    const codes = speaking.flatMap(({ path, prose }) =>
      Array.from(prose.matchAll(/`([a-z]+(?:_[a-z]+)+)`/g), ([, name]) => ({ path, name: name! })),
    );
    const configFields = ['max_queue_size', 'default_timeout_microseconds'];
    const known = (name: string) => Object.hasOwn(errorTable, name) || metrics.has(name) || configFields.includes(name);
    assert.deepEqual(
      codes.filter(({ name }) => !known(name)),
      [],
    );
    assert.ok(codes.length > 20);
  });

  test('name files that are there', () => {
    const file = /(?<![\w/.@-])((?:src|test|bench|scripts|examples|docs)\/[\w./@-]*\w\/?)(?![\w*{])/g;
    // The bench writes its results; what a guide makes is there while it runs.
    const made = ['bench/RESULTS.md', 'bench/results.svg'];
    assert.deepEqual(
      unknown(file, (name) => made.includes(name) || existsSync(join(root, name))),
      [],
    );
  });

  test('say with which runs and guides every metric is found', () => {
    const reference = pages.find(({ path }) => path === 'docs/reference/metrics.md')!;
    const missing = exposed.filter((name) => /^(?:skein|nv)_/.test(name) && !reference.text.includes(`\`${name}\``));
    assert.deepEqual(missing, []);
  });
});
