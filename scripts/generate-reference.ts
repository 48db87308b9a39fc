/**
 * node scripts/generate-reference.ts
 *
 * Writes docs/reference/{settings,command-line,errors}.md from the tables that the program itself runs on. A test holds
 * the committed pages equal to them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { commandLinePage } from './reference/command-line-page.ts';
import { errorsPage } from './reference/errors-page.ts';
import { settingsPage } from './reference/settings-page.ts';

export const referenceDirectory = join(import.meta.dirname, '..', 'docs', 'reference');

/** Content by file name. */
export function referencePages(): ReadonlyMap<string, string> {
  return new Map([
    ['settings.md', settingsPage()],
    ['command-line.md', commandLinePage()],
    ['errors.md', errorsPage()],
  ]);
}

if (import.meta.main) {
  mkdirSync(referenceDirectory, { recursive: true });
  for (const [name, page] of referencePages()) writeFileSync(join(referenceDirectory, name), page);
}
