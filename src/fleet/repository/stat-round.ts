import { lstatSync, statSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { isAbsent, type SeenFile } from './file-stamp.ts';

/** By name, what a scan has seen of each model; nothing: time stamps alone would not tell of a change. */
export type SeenModels = ReadonlyMap<string, readonly SeenFile[]>;

/** What each of a model's files looked like. There are as many of these as models, so they share what they can. */
interface Known {
  /** Of the files, below the model's directory. */
  readonly tails: readonly string[];
  /** Of each file in turn: time, size, inode. */
  readonly marks: readonly number[];
}

/** The event loop looks at files for so long, and then at what else there is to do. */
const sliceMs = 0.5;

/** In one call it waits for its looks in all at most so long, and for each model. A disk that is slow takes more. */
const graceMs = 10;
const fairMs = 0.02;

/** File systems of this host, by what statfs calls them: their looks come from memory as a rule, or wait for a disk. */
const localKinds: ReadonlySet<number> = new Set([
  0xef53, // ext
  0x58465342, // XFS
  0x9123683e, // Btrfs
  0x01021994, // tmpfs
  0x794c7630, // overlayfs
  0x2fc12fc1, // ZFS
  0xf2f52010, // F2FS
  0x73717368, // SquashFS
]);

/**
 * Finds the models of a repository whose files do not look any more as a scan has seen them, so that the scan looks at those
 * alone. It waits for each look, which takes 2 us; by way of Node's threads, as a scan does it, each takes 10 to 16 us of CPU.
 * So it looks only at what lies on a file system of this host, and leaves all else to the scan.
 */
export class StatRound {
  readonly #root: string;
  readonly #now: () => number;
  readonly #known = new Map<string, Known>();
  /** Left to the scan; those that it has looked at last are at the end. */
  readonly #others = new Set<string>();
  /** Goes on where it was, whatever comes or goes meanwhile. */
  #turn = this.#known.entries();
  #tails: readonly string[] = [];
  /** On which all of `#known` lie. */
  #device: number | undefined;

  constructor(root: string, now: () => number = () => performance.now()) {
    this.#root = root;
    this.#now = now;
  }

  /** All of them are left to the scan until it has told what it saw of them. */
  leave(names: Iterable<string>): void {
    for (const name of names) this.#leave(name);
  }

  /** What a scan has seen, which knows `models` now. */
  note(seen: SeenModels, models: ReadonlyMap<string, unknown>): void {
    for (const [name, files] of seen) {
      this.#others.delete(name);
      if (this.#isNear(files)) this.#known.set(name, this.#toKeep(name, files));
      else {
        this.#known.delete(name);
        if (models.has(name)) this.#others.add(name);
      }
    }
  }

  /** Models for the scan to look at: a share of those that are left to it, and what has changed in the same share of the rest. */
  async next(share: number): Promise<string[]> {
    await this.#findDevice();
    const names: string[] = [];
    let most = Math.ceil((this.#known.size + this.#others.size) * share);
    for (const name of this.#others) {
      if (most-- <= 0) break;
      names.push(name);
    }
    let left = Math.ceil(this.#known.size * Math.min(1, share));
    const mostMs = graceMs + left * fairMs;
    for (let spentMs = 0; left > 0 && spentMs < mostMs; ) {
      const beginMs = this.#now();
      do {
        this.#look(names);
        left -= 1;
      } while (left > 0 && this.#now() - beginMs < sliceMs);
      spentMs += this.#now() - beginMs;
      if (left > 0) await turn();
    }
    // The scan's looks keep nobody waiting.
    for (; left > 0; left--) this.#look(names, true);
    return names;
  }

  /** Asked each time: while a file system hangs this does not come back, and nothing else waits for it. */
  async #findDevice(): Promise<void> {
    let device: number | undefined;
    try {
      const [{ type }, { dev }] = await Promise.all([statfs(this.#root), stat(this.#root)]);
      if (localKinds.has(type)) device = dev;
    } catch {
      // The scan says what is wrong with the directory.
    }
    if (device !== this.#device) for (const name of [...this.#known.keys()]) this.#leave(name);
    this.#device = device;
  }

  /** A file that is absent is sought where another one is. */
  #isNear(files: readonly SeenFile[]): boolean {
    const there = files.filter(({ mtimeMs }) => mtimeMs !== -1);
    if (there.length === 0 || !there.every(({ device }) => device === this.#device)) return false;
    if (there.length === files.length) return true;
    const near = new Set(there.map(({ path }) => dirname(path)));
    return files.every(({ path }) => near.has(dirname(path)));
  }

  #toKeep(name: string, files: readonly SeenFile[]): Known {
    const tails = files.map(({ path }) => path.slice(name.length));
    const isLast = tails.length === this.#tails.length && tails.every((tail, i) => tail === this.#tails[i]);
    if (!isLast) this.#tails = tails;
    const marks = new Array<number>(3 * files.length);
    files.forEach((file, i) => {
      marks[3 * i] = file.mtimeMs;
      marks[3 * i + 1] = file.size;
      marks[3 * i + 2] = file.targetInode;
    });
    return { tails: this.#tails, marks };
  }

  #leave(name: string): void {
    this.#known.delete(name);
    this.#others.add(name);
  }

  #look(names: string[], isLate = false): void {
    const next = this.#next();
    if (next === undefined || !(isLate || this.#hasChanged(...next))) return;
    this.#leave(next[0]);
    names.push(next[0]);
  }

  #next(): [string, Known] | undefined {
    const next = this.#turn.next();
    if (next.done !== true) return next.value;
    this.#turn = this.#known.entries();
    return this.#turn.next().value;
  }

  #hasChanged(name: string, { tails, marks }: Known): boolean {
    const directory = `${this.#root}/${name}`;
    return tails.some((tail, i) => differs(directory + tail, marks, 3 * i));
  }
}

const quietly = { throwIfNoEntry: false } as const;

/** What cannot be looked at differs: the scan finds out why. */
function differs(path: string, marks: readonly number[], at: number): boolean {
  const isAway = marks[at] === -1;
  try {
    const link = lstatSync(path, quietly);
    const stats = link?.isSymbolicLink() ? statSync(path, quietly) : link;
    if (stats === undefined) return !isAway;
    const inode = stats === link ? 0 : stats.ino;
    return stats.mtimeMs !== marks[at] || stats.size !== marks[at + 1] || inode !== marks[at + 2];
  } catch (fault) {
    return !isAway || !isAbsent(fault);
  }
}
