import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { counted, textTable } from '../../src/cli/text-table.ts';

describe('textTable', () => {
  test('sets words to the left, figures to the right, and leaves no blanks at the end', () => {
    const table = textTable(
      ['NAME', 'SIZE', 'NOTE'],
      [
        ['a', '9.5 MiB', ''],
        ['long name', '-', 'x'],
      ],
    );
    assert.equal(table, 'NAME          SIZE  NOTE\na          9.5 MiB\nlong name        -  x\n');
  });

  test('prints headings alone where there are no rows', () => {
    assert.equal(textTable(['NAME', 'SIZE'], []), 'NAME  SIZE\n');
  });
});

describe('counted', () => {
  test('uses the plural for all but one', () => {
    assert.deepEqual(
      [0, 1, 2].map((n) => counted(n, 'copy', 'copies')),
      ['0 copies', '1 copy', '2 copies'],
    );
  });
});
