import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { helpFor, overview } from '../../src/cli/help-text.ts';
import { verbNames } from '../../src/cli/verbs-table.ts';
import { envName } from '../../src/config/setting.ts';
import { settingsOf } from '../../src/config/settings-table.ts';

describe('overview', () => {
  test('lists every command', () => {
    for (const name of verbNames) assert.match(overview(), new RegExp(`^  ${name} +[a-z]`, 'm'));
  });
});

describe('helpFor', () => {
  test('names every setting of serve with its variable', () => {
    const text = helpFor('serve');
    for (const [, row] of settingsOf('serve')) {
      assert.match(text, new RegExp(`^  --${row.flag}\\b`, 'm'));
      assert.ok(text.includes(`(${envName(row)})`), row.flag);
    }
  });

  test('keeps lines within 100 columns', () => {
    for (const name of verbNames) for (const line of helpFor(name).split('\n')) assert.ok(line.length <= 100, line);
  });
});

describe('verbsTable', () => {
  test('offers every command after help', async () => {
    const { verbsTable } = await import('../../src/cli/verbs-table.ts');
    assert.deepEqual(verbsTable.help.operands[0].completes, verbNames);
  });
});
