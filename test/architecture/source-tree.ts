import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blankCode } from './blank-code.ts';

/** A file of the repository as the rules see it. */
export interface SourceFile {
  /** From the root of the repository, with slashes. */
  readonly path: string;
  readonly text: string;
  /** The text without what only looks like code; the text itself where it is not TypeScript. */
  readonly code: string;
}

export function sourceFile(path: string, text: string): SourceFile {
  return { path, text, code: /\.m?[jt]s$/.test(path) ? blankCode(text) : text };
}

/** Made or brought here, not written here. */
const notOurs = new Set(['node_modules', 'dist', '.skein', '.bench', '.git']);

const binary = /\.(?:png|jpe?g|bin|onnx|ort|gz|wasm)$/;

/** Every text file of the repository, tracked yet or not. */
export function readRepository(root: string): SourceFile[] {
  return readdirSync(root, { recursive: true, withFileTypes: true, encoding: 'utf8' })
    .filter((entry) => entry.isFile() && !binary.test(entry.name) && !entry.name.endsWith('.log'))
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .filter((path) => !path.split('/').some((part) => notOurs.has(part)))
    .sort()
    .map((path) => sourceFile(path, readFileSync(join(root, path), 'utf8')));
}

export function below(files: readonly SourceFile[], folder: string): SourceFile[] {
  return files.filter(({ path }) => path.startsWith(folder) && path.endsWith('.ts'));
}
