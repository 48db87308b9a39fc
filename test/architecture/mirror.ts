import { posix } from 'node:path';
import { importsOf } from './imports.ts';
import type { Fault } from './rules.ts';
import { below, type SourceFile } from './source-tree.ts';

/** Folders of test/ that test something else than src/. */
const besideSources = ['architecture', 'chaos', 'docs', 'e2e', 'examples', 'fixtures', 'scripts', 'slow', 'bench'];

/**
 * Tests that do not lie where what they test lies: a test of test/a/b/ uses something of src/a/b/, itself or through what
 * it shares with other tests; and every folder of src/ has such a test.
 */
export function mirrorFaults(files: readonly SourceFile[]): Fault[] {
  const byPath = new Map(below(files, 'test/').map((file) => [file.path, file]));
  const tests = [...byPath.values()].filter(({ path }) => path.endsWith('.test.ts') && isOfSources(path));
  const tested = new Set<string>();
  const faults: Fault[] = [];
  for (const { path } of tests) {
    const folder = posix.dirname(path).replace(/^test/, 'src');
    const used = sourcesUsedBy(path, byPath);
    for (const source of used) tested.add(posix.dirname(source));
    if (![...used].some((source) => source.startsWith(`${folder}/`))) {
      faults.push({ path, what: `it uses nothing of ${folder}/` });
    }
  }
  const folders = new Set(below(files, 'src/').map(({ path }) => posix.dirname(path)));
  for (const folder of folders)
    if (!tested.has(folder)) faults.push({ path: folder, what: 'no test uses anything of it' });
  return faults;
}

function isOfSources(path: string): boolean {
  const [, folder = ''] = path.split('/');
  return path.split('/').length > 2 && !besideSources.includes(folder);
}

function sourcesUsedBy(path: string, tests: ReadonlyMap<string, SourceFile>, seen = new Set<string>()): Set<string> {
  const used = new Set<string>();
  const file = tests.get(path);
  if (file === undefined || seen.has(path)) return used;
  seen.add(path);
  for (const { target, isLocal } of importsOf(file)) {
    if (!isLocal) continue;
    if (target.startsWith('src/')) used.add(target);
    else for (const source of sourcesUsedBy(target, tests, seen)) used.add(source);
  }
  return used;
}
