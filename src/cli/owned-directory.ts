import { randomBytes } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Named with the process that uses it, so that a later one can tell whether it is still there. */
const ownedName = /^skein-(\d+)-/;

const madeHere = new Set<string>();

/**
 * The path of a directory of this process alone, which is removed when it ends; it is not made yet. What processes left
 * behind that were killed is swept first.
 */
export function ownedDirectory(parent: string): string {
  sweep(parent);
  const directory = join(parent, `skein-${process.pid}-${randomBytes(4).toString('hex')}`);
  madeHere.add(directory);
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/**
 * For the sockets of this process's backends. Below the system's temporary directory, because socket paths are limited to
 * some hundred bytes and a state directory may lie deep.
 */
export function makeSocketDirectory(parent = tmpdir()): string {
  const directory = ownedDirectory(parent);
  mkdirSync(directory, { mode: 0o700 });
  return directory;
}

function sweep(parent: string): void {
  for (const entry of entriesOf(parent)) {
    const pid = ownedName.exec(entry)?.[1];
    if (pid === undefined || isInUse(Number(pid), join(parent, entry))) continue;
    try {
      rmSync(join(parent, entry), { recursive: true, force: true });
    } catch {
      // Somebody else's.
    }
  }
}

function entriesOf(parent: string): string[] {
  try {
    return readdirSync(parent);
  } catch {
    return []; // not made yet
  }
}

/** In a container every process that starts may have the number of the one that was killed. */
function isInUse(pid: number, path: string): boolean {
  if (pid === process.pid) return madeHere.has(path);
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
}
