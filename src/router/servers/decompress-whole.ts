import { gunzip, inflate } from 'node:zlib';
import { SkeinError } from '../../protocol/errors.ts';
import type { Coding } from './content-coding.ts';

/** Decompresses a body that is all there, on the thread pool and up to `limitBytes`. */
export function decompressWhole(body: Uint8Array, coding: Coding, limitBytes: number): Promise<Buffer> {
  const decompress = coding === 'gzip' ? gunzip : inflate;
  return new Promise((resolve, reject) => {
    decompress(body, { maxOutputLength: limitBytes }, (fault, plain) => {
      if (fault === null) resolve(plain);
      else if ((fault as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') {
        reject(new SkeinError('body_grew_too_large', { how: 'decompresses to', limitBytes }));
      } else reject(new SkeinError('body_corrupt', { encoding: coding, reason: fault.message }));
    });
  });
}
