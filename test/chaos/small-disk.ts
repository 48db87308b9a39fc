/** A file system that is soon full: a tmpfs, which takes the right to mount. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const pieceBytes = 2 ** 16;

export class SmallDisk {
  readonly directory: string;
  readonly #filler: string;

  /** Undefined where this process may not mount; `unshare -rm npm run chaos` gives the right to most users. */
  static mount(directory: string, sizeBytes: number): SmallDisk | undefined {
    mkdirSync(directory, { recursive: true });
    const done = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes}`, 'tmpfs', directory]);
    return done.status === 0 ? new SmallDisk(directory) : undefined;
  }

  private constructor(directory: string) {
    this.directory = directory;
    this.#filler = join(directory, 'filler');
  }

  /** To the last byte. */
  fill(): void {
    for (let sizeBytes = pieceBytes; sizeBytes >= 1; ) {
      try {
        writeFileSync(this.#filler, Buffer.alloc(sizeBytes), { flag: 'a' });
      } catch (fault) {
        if ((fault as NodeJS.ErrnoException).code !== 'ENOSPC') throw fault;
        sizeBytes = Math.floor(sizeBytes / 2);
      }
    }
  }

  free(): void {
    rmSync(this.#filler, { force: true });
  }

  /** Lazily, for processes that are just ending. */
  unmount(): void {
    spawnSync('umount', ['-l', this.directory]);
  }
}
