/** One file of a model. */
export interface SourceFile {
  /** Relative to the model's directory: `3/model.onnx`. */
  readonly path: string;
  readonly sha256: string;
}

/** Of one list: what is longer is no list of one model's files. */
export const mostManifestBytes = 4 * 1024 * 1024;
const mostFiles = 10_000;
const longestPath = 1_024;

const lineForm = /^([0-9a-fA-F]{64}) [ *](.+)$/;

/**
 * Reads a list of files as `sha256sum` writes and checks it. `ownName` is the list's own name: `sha256sum *` names it, too,
 * with the digest of an unfinished list. Returns what is wrong where something is.
 */
export function parseManifest(text: string, ownName: string): readonly SourceFile[] | { readonly fault: string } {
  const files = new Map<string, SourceFile>();
  let lineNumber = 0;
  for (const line of text.split('\n')) {
    lineNumber++;
    if (line.trim() === '') continue;
    const [, sha256, written] = lineForm.exec(line.replace(/\r$/, '')) ?? [];
    if (sha256 === undefined || written === undefined) {
      return { fault: `line ${lineNumber} is not '<SHA-256>  <path>', as sha256sum writes it` };
    }
    const path = written.replace(/^(\.\/)+/, '');
    const fault = pathFault(path);
    if (fault !== undefined) return { fault: `line ${lineNumber} names '${path.slice(0, 100)}', which ${fault}` };
    if (path === ownName) continue;
    if (files.has(path)) return { fault: `line ${lineNumber} names '${path}' a second time` };
    files.set(path, { path, sha256: sha256.toLowerCase() });
    if (files.size > mostFiles) return { fault: `it names more than ${mostFiles} files` };
  }
  const outer = [...files.keys()].map((path) => prefixes(path).find((prefix) => files.has(prefix)));
  const twofold = outer.find((prefix) => prefix !== undefined);
  if (twofold !== undefined) return { fault: `'${twofold}' is both a file and a directory` };
  return files.size === 0 ? { fault: 'it names no file' } : [...files.values()];
}

/** What one version needs: its own directory, and what belongs to no version (config.pbtxt, labels). */
export function filesOfVersion(files: readonly SourceFile[], version: number): readonly SourceFile[] {
  return files.filter(({ path }) => {
    const directory = /^(\d+)\//.exec(path)?.[1];
    return directory === undefined || Number(directory) === version;
  });
}

function pathFault(path: string): string | undefined {
  if (path.length > longestPath) return `is longer than ${longestPath} characters`;
  if (/[\0\\]/.test(path)) return 'holds a backslash or a NUL';
  if (path.startsWith('/')) return 'is absolute';
  const parts = path.split('/');
  return parts.some((part) => part === '' || part === '.' || part === '..') ? 'does not lead downward' : undefined;
}

function prefixes(path: string): string[] {
  const parts = path.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}
