import { posix } from 'node:path';
import type { SourceFile } from './source-tree.ts';

interface Import {
  /** A file of the repository from its root, or a package or built-in module as it was named. */
  readonly target: string;
  readonly isLocal: boolean;
  /**
   * `type`: erased before it runs. `static`: runs with the file that names it. `lazy`: `import()`, runs when it is reached.
   * `passed on`: `export … from`.
   */
  readonly kind: 'type' | 'static' | 'lazy' | 'passed on';
}

/** `import { type A }` runs its module: only `import type` is erased as a whole (verbatimModuleSyntax). */
const statement = /^(import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?(['"])(.+?)\3/gm;
const call = /\bimport\(\s*(['"])(.+?)\1\s*\)/g;

/** Everything that a file names as another module. Statements stand at the beginning of a line, as formatted code has them. */
export function importsOf({ path, text, code }: SourceFile): Import[] {
  const found: Import[] = [];
  const isCode = (index: number) => code[index] === text[index];
  for (const match of text.matchAll(statement)) {
    const [, word, type, , target] = match;
    if (!isCode(match.index)) continue;
    if (word === 'export' && !/\sfrom\s/.test(match[0])) continue;
    found.push(resolve(path, target!, type !== undefined ? 'type' : word === 'export' ? 'passed on' : 'static'));
  }
  for (const match of text.matchAll(call)) {
    if (isCode(match.index))
      found.push(resolve(path, match[2]!, /:\s*$/.test(text.slice(0, match.index)) ? 'type' : 'lazy'));
  }
  return found;
}

function resolve(from: string, target: string, kind: Import['kind']): Import {
  const isLocal = target.startsWith('.');
  return { target: isLocal ? posix.join(posix.dirname(from), target) : target, isLocal, kind };
}

/** `@scope/name/part` is of the package `@scope/name`. */
export function packageOf(target: string): string {
  const [first = '', second = ''] = target.split('/');
  return first.startsWith('@') ? `${first}/${second}` : first;
}
