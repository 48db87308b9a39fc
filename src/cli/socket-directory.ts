import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Named with the process that made it, so that a later one can tell whether it is still there. */
const name = /^skein-(\d+)-/;

/**
 * A new directory for the sockets of this process's backends, removed when it ends. What processes left behind that were
 * killed is swept first. Below the system's temporary directory, because socket paths are limited to some hundred bytes
 * and a state directory may lie deep.
 */
export function makeSocketDirectory(parent = tmpdir()): string {
  sweep(parent);
  const directory = mkdtempSync(join(parent, `skein-${process.pid}-`));
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function sweep(parent: string): void {
  for (const entry of readdirSync(parent)) {
    const pid = name.exec(entry)?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    try {
      rmSync(join(parent, entry), { recursive: true, force: true });
    } catch {
      // Somebody else's.
    }
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (fault) {
    return (fault as NodeJS.ErrnoException).code === 'EPERM';
  }
}
