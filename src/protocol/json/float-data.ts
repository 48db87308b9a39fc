import { wrongElement } from './data-faults.ts';
import type { DataWalker } from './data-walker.ts';
import { minus, nine, upperI, upperN, zero } from './json-characters.ts';
import { readReal } from './json-real.ts';

/** The elements as floats, rounded to the nearest double first, as Triton does: FP32 1e39 becomes Infinity. */
export function readFloats(walker: DataWalker, count: number, datatype: 'FP32' | 'FP64'): Uint8Array {
  const size = datatype === 'FP32' ? 4 : 8;
  const view = new DataView(new ArrayBuffer(count * size));
  for (let at = 0; walker.next(); at += size) {
    const byte = walker.bytes[walker.at]!;
    if (!((byte >= zero && byte <= nine) || byte === minus || byte === upperN || byte === upperI)) {
      throw wrongElement(walker, 'double');
    }
    const value = readReal(walker);
    if (size === 4) view.setFloat32(at, value, true);
    else view.setFloat64(at, value, true);
  }
  return new Uint8Array(view.buffer);
}
