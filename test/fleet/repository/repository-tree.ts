import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A directory of its own for one test, with its links followed; removed when the test ends. */
export function scratch(t: { after(hook: () => void): void }): string {
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'skein-repository-')));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes files by their paths; a value that is an array of one string is a link to it. Directories end in a slash. */
export function writeTree(root: string, tree: Readonly<Record<string, string | readonly [target: string]>>): void {
  for (const [name, content] of Object.entries(tree)) {
    const path = join(root, name);
    mkdirSync(name.endsWith('/') ? path : dirname(path), { recursive: true });
    if (name.endsWith('/')) continue;
    if (typeof content === 'string') writeFileSync(path, content);
    else symlinkSync(content[0], path);
  }
}

/** Gives a file a time of its own, so that no test depends on how fine the file system's clock is. */
export function touch(path: string, seconds: number): void {
  utimesSync(path, seconds, seconds);
}
