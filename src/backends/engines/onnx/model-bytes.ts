import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, resolve, sep } from 'node:path';
import { ExternalDataFinder } from '../../../fleet/repository/external-data.ts';

/** Small enough that looking through one does not hold the event loop up for a millisecond. */
const chunkBytes = 256 * 1024;

/**
 * Bytes of a model on disk: its file, and the external data that it names in its own directory. A model that lies alone
 * has none, and is not read; otherwise its file is looked through once, which costs a small part of its load.
 */
export async function modelBytes(path: string): Promise<number> {
  const ownBytes = (await stat(path)).size;
  const directory = dirname(path);
  if (path.endsWith('.ort') || (await readdir(directory)).length < 2) return ownBytes;
  const finder = new ExternalDataFinder();
  const stream = createReadStream(path, { highWaterMark: chunkBytes });
  for await (const chunk of stream as AsyncIterable<Buffer>) finder.push(chunk);
  const files = finder.paths.map((name) => resolve(directory, name)).filter((file) => file.startsWith(directory + sep));
  const sizes = await Promise.all([...new Set(files)].filter((file) => file !== path).map(fileBytes));
  return sizes.reduce((sum, size) => sum + size, ownBytes);
}

/** 0 for a file that is not there: whoever loads the model says so better. */
export async function fileBytes(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.isFile() ? found.size : 0;
}
