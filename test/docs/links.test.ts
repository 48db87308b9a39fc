import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, test } from 'node:test';
import { type Page, parsePage } from './markdown-page.ts';
import { allPages } from './page-files.ts';

const root = join(import.meta.dirname, '../..');
const pages = new Map(allPages().map((page) => [page.path, page]));

/** Links of a page that lead nowhere. */
function broken(page: Page, exists: (path: string) => boolean): string[] {
  return page.links.filter((link) => {
    if (/^[a-z]+:/.test(link)) return false; // elsewhere: not ours to know
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? page.path : posix.join(posix.dirname(page.path), file);
    if (path !== page.path && !exists(path)) return true;
    const target = path === page.path ? page : pages.get(path);
    return anchor !== undefined && target?.anchors.has(anchor) !== true;
  });
}

describe('links', () => {
  for (const page of pages.values()) {
    test(`of ${page.path} lead somewhere`, () => {
      assert.deepEqual(
        broken(page, (path) => existsSync(join(root, path))),
        [],
      );
    });
  }

  test('that are broken are found', () => {
    const text = '# A\n[x](b.md) [y](#a) [z](#nowhere) [w](../c.md#d) `[not](a-link.md)`\n[v](https://example.org)\n';
    const page = parsePage('docs/a.md', text); // the test's own, not one that is there
    assert.deepEqual(
      broken(page, (path) => path === 'docs/b.md'),
      ['#nowhere', '../c.md#d'],
    );
  });

  test('reach every page from the README', () => {
    const reached = new Set<string>();
    const visit = (path: string): void => {
      const page = pages.get(path);
      if (page === undefined || reached.has(path)) return;
      reached.add(path);
      for (const link of page.links) visit(posix.join(posix.dirname(path), link.split('#')[0]!));
    };
    visit('README.md');
    assert.deepEqual(
      [...pages.keys()].filter((path) => !reached.has(path)),
      [],
    );
  });
});
