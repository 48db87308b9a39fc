import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { readPage } from './markdown-page.ts';
import { PageRun } from './page-run.ts';
import { isShown } from './shown-output.ts';

/** One test for each block of shell commands of a page, in order, and of what the page says that it prints. */
export function runPage(path: string): void {
  const { blocks } = readPage(path);
  describe(path, () => {
    const run = new PageRun();
    let printed = '';
    blocks.forEach(({ language, role, text, line, notRun }) => {
      if (language === 'sh' && notRun === undefined) {
        test(`works as line ${line} says`, async () => {
          printed = await run.run(text);
        });
      } else if (role === 'answer') {
        test(`prints what line ${line} shows`, () => {
          assert.ok(isShown(language, text, printed), `printed:\n${printed}\nshown:\n${text}`);
        });
      }
    });
    test('leaves nothing running', () => run.close());
  });
}
