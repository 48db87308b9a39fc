import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { namedSections, sections, withMadeSections } from './made-sections.ts';
import { allPages } from './page-files.ts';

const pages = allPages();

describe('made sections', () => {
  for (const { path, text } of pages.filter((page) => namedSections(page.text).length > 0)) {
    test(`of ${path} are what the program says (node test/docs/write-made-sections.ts writes them)`, async () => {
      assert.equal(text, await withMadeSections(text));
    });
  }

  test('stand in one page each', () => {
    assert.deepEqual(pages.flatMap(({ text }) => namedSections(text)).sort(), Object.keys(sections).sort());
  });

  test('that are old are told from new ones', async () => {
    const old = '<!-- made: difference reasons -->\n\n| old |\n\n<!-- end: difference reasons -->\n';
    assert.notEqual(await withMadeSections(old), old);
    await assert.rejects(withMadeSections('<!-- made: nothing -->\n<!-- end: nothing -->\n'));
  });
});
