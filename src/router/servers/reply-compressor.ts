import { constants, createDeflate, createGzip, deflate, type Gzip, gzip, type ZlibOptions } from 'node:zlib';
import type { Coding } from './content-coding.ts';

/** Answers are compressed for the network's sake, on the way: the fastest level has most of the gain. */
const level = constants.Z_BEST_SPEED;

/**
 * Compresses a whole answer on the thread pool. zlib's tables are cut to the size of the body: with the usual ones a
 * hundred small answers at once would take 25 MiB.
 */
export function compressWhole(body: Uint8Array, coding: Coding): Promise<Buffer> {
  const compress = coding === 'gzip' ? gzip : deflate;
  return new Promise((resolve, reject) => {
    compress(body, optionsFor(body.byteLength), (fault, compressed) => (fault ? reject(fault) : resolve(compressed)));
  });
}

/** Compresses an answer piece by piece. */
export function createCompressor(coding: Coding): Gzip {
  return coding === 'gzip' ? createGzip({ level }) : createDeflate({ level });
}

function optionsFor(sizeBytes: number): ZlibOptions {
  const windowBits = Math.min(15, Math.max(9, 32 - Math.clz32(sizeBytes)));
  return { level, windowBits, memLevel: windowBits >= 14 ? 8 : 5 };
}
