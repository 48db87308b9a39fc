import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelNotes } from '../engine.ts';

/** Longer ones are not ours. */
const maxBytes = 256 * 1024;

/**
 * Notes beside the files of a cache entry, and removed with it: an entry is named by the model's bytes, the runtime and
 * the processor, which is what they are true for. The entry's own files stay as they were written.
 */
export class EntryNotes implements ModelNotes {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  async read(name: string): Promise<string | undefined> {
    const text = await readFile(join(this.#directory, name), 'utf8').catch(() => undefined);
    return text !== undefined && text.length <= maxBytes ? text : undefined;
  }

  /** Written under another name first: a reader, of another process perhaps, sees all of it or what was there before. */
  async write(name: string, text: string): Promise<void> {
    const path = join(this.#directory, name);
    const written = `${path}.${process.pid}`;
    try {
      await writeFile(written, text);
      await rename(written, path);
    } catch {
      await rm(written, { force: true }).catch(() => {}); // a full disk, or the entry was removed meanwhile
    }
  }
}
