import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { writeByteSize } from '../../src/config/byte-size.ts';
import { isDerived } from '../../src/config/compile-settings.ts';
import { writeDuration } from '../../src/config/duration.ts';
import { parseSetting } from '../../src/config/parse-setting.ts';
import { envName, type SettingRow } from '../../src/config/setting.ts';
import { settingGroups, settingsOf, settingsTable } from '../../src/config/settings-table.ts';

const rows = Object.entries<SettingRow>(settingsTable);

/** A default as a user would write it. */
function written(row: SettingRow): string {
  if (row.kind === 'bytes') return writeByteSize(row.default as number);
  return row.kind === 'duration' ? writeDuration(row.default) : String(row.default);
}

describe('settingsTable', () => {
  test('has every row in one group, and no other', () => {
    const grouped = settingGroups.flatMap((group) => Object.keys(group.rows));
    assert.deepEqual(grouped.sort(), rows.map(([key]) => key).sort());
  });

  test('gives no flag or variable twice', () => {
    assert.equal(new Set(rows.map(([, row]) => row.flag)).size, rows.length);
    assert.equal(new Set(rows.map(([, row]) => envName(row))).size, rows.length);
  });

  test('names properties by their unit and flags without it', () => {
    for (const [key, row] of rows) {
      assert.equal(key.endsWith('Bytes'), row.kind === 'bytes', key);
      assert.equal(key.endsWith('Ms'), row.kind === 'duration', key);
      assert.match(row.flag, /^[a-z][a-z0-9]*(-[a-z]+)*$/);
      assert.doesNotMatch(row.flag, /-(ms|bytes)$/);
    }
  });

  test('has defaults that a user could give', () => {
    for (const [key, row] of rows) {
      if (isDerived(row.default) || Array.isArray(row.default) || row.default === '') continue;
      const raw = { value: written(row), origin: key, baseDir: '/' };
      assert.equal(parseSetting(row, raw), row.default, key);
    }
  });

  test('says what 0 means wherever 0 is allowed and is not the default of a device', () => {
    for (const [key, row] of rows) {
      const isCounted = row.kind === 'count' || row.kind === 'bytes' || row.kind === 'duration';
      if (isCounted && row.min === 0 && key !== 'providerDevice') assert.notEqual(row.zero ?? '', '', key);
    }
  });

  test('says of every setting what it is and why one would change it', () => {
    for (const [key, row] of rows) {
      assert.ok(row.summary.length > 10 && !row.summary.endsWith('.'), key);
      assert.match(row.why, /[.]$/, key);
    }
  });

  test('has no setting of serve that nothing reads', () => {
    const root = join(import.meta.dirname, '../../src');
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' });
    const read = files.filter((file) => file.endsWith('.ts') && !file.startsWith('config/'));
    const words = new Set(read.flatMap((file) => readFileSync(join(root, file), 'utf8').match(/\w+/g) ?? []));
    const unread = settingsOf('serve')
      .map(([key]) => key)
      .filter((key) => !words.has(key));
    // The file is read on the way to the settings.
    assert.deepEqual(unread, ['settingsFile']);
  });
});
