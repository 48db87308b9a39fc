import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { referenceDirectory, referencePages } from '../../scripts/generate-reference.ts';
import { madeLine } from '../../scripts/reference/markdown.ts';
import { envName, type SettingRow } from '../../src/config/setting.ts';
import { settingsTable } from '../../src/config/settings-table.ts';
import { errorTable } from '../../src/protocol/errors.ts';

const pages = referencePages();
const committed = (name: string) => readFileSync(join(referenceDirectory, name), 'utf8');

/** First code span of every table row. */
function named(page: string, column: RegExp): string[] {
  return page.split('\n').flatMap((line) => column.exec(line)?.slice(1, 2) ?? []);
}

describe('referencePages', () => {
  for (const [name, page] of pages) {
    test(`is what docs/reference/${name} holds (node scripts/generate-reference.ts writes it)`, () => {
      assert.equal(committed(name), page);
    });
  }

  test('makes every page that says it is made', () => {
    const made = readdirSync(referenceDirectory).filter((name) => committed(name).startsWith(madeLine));
    assert.deepEqual(made.sort(), [...pages.keys()].sort());
  });
});

describe('docs/reference/errors.md', () => {
  test('has every code of the table and no other', () => {
    const documented = named(committed('errors.md'), /^\| `([a-z0-9_]+)` \|/);
    assert.deepEqual(documented.sort(), Object.keys(errorTable).sort());
  });
});

describe('docs/reference/settings.md', () => {
  test('has every variable of the table and no other', () => {
    const documented = named(committed('settings.md'), /^\| `--.*<br>`([A-Z0-9_]+)`/);
    assert.deepEqual(documented.sort(), Object.values<SettingRow>(settingsTable).map(envName).sort());
  });
});
