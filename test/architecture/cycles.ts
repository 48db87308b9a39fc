import { importsOf } from './imports.ts';
import type { SourceFile } from './source-tree.ts';

/** Every cycle of imports that run when their files are loaded, once each, as the paths along it. */
export function findCycles(files: readonly SourceFile[]): string[][] {
  const edges = new Map(files.map((file) => [file.path, loadedBy(file)]));
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const at = trail.indexOf(path);
    if (at >= 0) cycles.push(trail.slice(at));
    if (at >= 0 || done.has(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return cycles;
}

function loadedBy(file: SourceFile): string[] {
  return importsOf(file)
    .filter(({ isLocal, kind }) => isLocal && (kind === 'static' || kind === 'passed on'))
    .map(({ target }) => target);
}
