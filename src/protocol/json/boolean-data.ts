import { wrongElement } from './data-faults.ts';
import type { DataWalker } from './data-walker.ts';
import { lowerF, lowerT } from './json-characters.ts';
import { readName } from './json-value.ts';

/** The elements as one byte each; only true and false are booleans. */
export function readBooleans(walker: DataWalker, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; walker.next(); at++) {
    const byte = walker.bytes[walker.at];
    if (byte === lowerT) bytes[at] = readName(walker, 'true', 1);
    else if (byte === lowerF) readName(walker, 'false', 0);
    else throw wrongElement(walker, 'boolean');
  }
  return bytes;
}
