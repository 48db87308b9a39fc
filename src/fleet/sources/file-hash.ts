import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** Small enough that hashing one does not hold the event loop up for a millisecond. */
const chunkBytes = 256 * 1024;

/** SHA-256 over a file, open for more: a download goes on from it. */
export async function hashFile(path: string): Promise<Hash> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes }) as AsyncIterable<Buffer>)
    hash.update(chunk);
  return hash;
}
