import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Page, readPage } from './markdown-page.ts';

const root = join(import.meta.dirname, '../..');

/** Every page that people read, from the root of the repository. */
export function pagePaths(): string[] {
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`);
  const others = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'examples/README.md'];
  return [...others, ...docs].filter((path) => path.endsWith('.md')).sort();
}

export function allPages(): Page[] {
  return pagePaths().map(readPage);
}
