import type { Datatype } from '../tensors/datatype.ts';
import { readBooleans } from './boolean-data.ts';
import { DataWalker } from './data-walker.ts';
import { readFloats } from './float-data.ts';
import { readLongIntegers, readShortIntegers } from './integer-data.ts';
import type { JsonSpan } from './json-span.ts';
import { readStrings } from './string-data.ts';

/** What JSON can carry: half floats travel as bytes alone. */
export type JsonDatatype = Exclude<Datatype, 'FP16' | 'BF16'>;

/**
 * The elements of a `data` array as the bytes of a tensor: little-endian, BYTES elements each with their 4-byte length.
 * `count` is what the shape says, and what there must be.
 */
export function readTensorData(text: Buffer, span: JsonSpan, datatype: JsonDatatype, count: number): Uint8Array {
  const walker = new DataWalker(text, span, count);
  switch (datatype) {
    case 'BOOL':
      return readBooleans(walker, count);
    case 'FP32':
    case 'FP64':
      return readFloats(walker, count, datatype);
    case 'INT64':
    case 'UINT64':
      return readLongIntegers(walker, count, datatype);
    case 'BYTES':
      return readStrings(walker, count, span.end - span.start);
    default:
      return readShortIntegers(walker, count, datatype);
  }
}
