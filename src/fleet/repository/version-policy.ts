import type { VersionPolicy } from './model-config.ts';

/** Directories beside the versions that have a meaning of their own in Triton's layout. */
const sideDirectories: ReadonlySet<string> = new Set(['warmup', 'initial_state', 'configs']);

/**
 * A directory's name as a version: a whole number from 1 without a leading zero, as a request could not name another.
 * Undefined for everything else, which is not served.
 */
export function versionNumber(directory: string): number | undefined {
  if (!/^[1-9]\d{0,15}$/.test(directory)) return undefined;
  const version = Number(directory);
  return Number.isSafeInteger(version) ? version : undefined;
}

/**
 * A name with leading zeros as a version: TensorFlow Serving takes `00000123` for version 123. Only SavedModels in its layout
 * are looked for there; Triton ignores such names.
 */
export function paddedVersion(directory: string): number | undefined {
  return directory.startsWith('0') ? versionNumber(directory.replace(/^0+/, '')) : undefined;
}

/** Whether a directory that is no version deserves a word to its owner: it looks like one. */
export function isMisnamedVersion(directory: string): boolean {
  return /^\d/.test(directory) && !sideDirectories.has(directory) && versionNumber(directory) === undefined;
}

/** Those of the versions on disk that the policy serves, ascending. */
export function servedVersions(onDisk: Iterable<number>, policy: VersionPolicy): number[] {
  const ascending = [...new Set(onDisk)].sort((a, b) => a - b);
  switch (policy.kind) {
    case 'all':
      return ascending;
    case 'latest':
      return ascending.slice(-policy.count);
    case 'specific': {
      const wanted = new Set(policy.versions);
      return ascending.filter((version) => wanted.has(version));
    }
  }
}
