/** node test/docs/write-made-sections.ts: brings the made sections of all pages up to date. A test holds them so. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withMadeSections } from './made-sections.ts';
import { pagePaths } from './page-files.ts';

const root = join(import.meta.dirname, '../..');

for (const path of pagePaths()) {
  const before = readFileSync(join(root, path), 'utf8');
  const after = await withMadeSections(before);
  if (after === before) continue;
  writeFileSync(join(root, path), after);
  process.stdout.write(`${path} is up to date now\n`);
}
process.exit(0); // prom-client's observers would keep the process
