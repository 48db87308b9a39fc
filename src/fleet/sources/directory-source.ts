import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { SkeinError } from '../../protocol/errors.ts';
import type { FileReader, OpenFile } from './file-reader.ts';
import { type SourceGate, shown } from './source-gate.ts';

const chunkBytes = 256 * 1024;

/** Files of a directory of this machine: a mount that is too slow or too fickle to load from. */
export class DirectorySource implements FileReader {
  readonly #gate: SourceGate;

  constructor(gate: SourceGate) {
    this.#gate = gate;
  }

  async open(url: URL, offsetBytes: number, signal: AbortSignal): Promise<OpenFile> {
    this.#gate.check(url);
    try {
      const path = await realpath(fileURLToPath(url));
      // A link must not lead where an entry may not: what it leads to must be allowed, too.
      if (path !== fileURLToPath(url)) this.#gate.check(pathToFileURL(path));
      const { size } = await stat(path);
      const offset = offsetBytes > size ? 0 : offsetBytes;
      const bytes = createReadStream(path, { start: offset, highWaterMark: chunkBytes, signal });
      return { offsetBytes: offset, sizeBytes: size, bytes };
    } catch (fault) {
      if (fault instanceof SkeinError) throw fault;
      const { code, message } = fault as NodeJS.ErrnoException;
      const known = code === 'ENOENT' || code === 'ENOTDIR' ? 'source_not_found' : 'source_unreachable';
      throw new SkeinError(known, { url: shown(url), reason: message }, { cause: fault });
    }
  }
}
