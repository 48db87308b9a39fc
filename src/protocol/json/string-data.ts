import { wrongElement } from './data-faults.ts';
import type { DataWalker } from './data-walker.ts';
import { quote } from './json-characters.ts';
import { unescapeString } from './json-string.ts';

/** The elements as strings, each a 4-byte length and that many bytes of UTF-8. `textBytes` is the length of the array. */
export function readStrings(walker: DataWalker, count: number, textBytes: number): Uint8Array {
  // two quotes and a comma or bracket stand around every string, so a prefix takes one byte more than they do
  const target = Buffer.allocUnsafeSlow(textBytes + count);
  let to = 0;
  while (walker.next()) {
    if (walker.bytes[walker.at] !== quote) throw wrongElement(walker, 'string');
    const end = unescapeString(walker, target, to + 4);
    target.writeUInt32LE(end - to - 4, to);
    to = end;
  }
  return target.subarray(0, to);
}
