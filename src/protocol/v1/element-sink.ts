import { SkeinError } from '../errors.ts';
import { minus, nine, openBrace, quote, upperI, upperN, zero } from '../json/json-characters.ts';
import type { JsonCursor } from '../json/json-cursor.ts';
import { readNumber } from '../json/json-number.ts';
import { readReal } from '../json/json-real.ts';
import { unescapeString } from '../json/json-string.ts';
import { readName } from '../json/json-value.ts';
import { type Datatype, elementBytes } from '../tensors/datatype.ts';
import { dataTypeOf } from '../tfserving/data-type.ts';
import { readBase64 } from './base64-value.ts';
import { debugText, typeName } from './debug-text.ts';

/** Takes the elements of one tensor from a text, one value at a time, as the bytes of a tensor. */
export interface ElementSink {
  /** Elements taken. */
  readonly count: number;
  /** Reads the value at the cursor, which is no list; throws where the type does not take it. */
  take(cursor: JsonCursor): void;
  bytes(): Uint8Array;
}

export function elementSink(datatype: Datatype): ElementSink {
  switch (datatype) {
    case 'FP32':
      return new NumberSink(datatype, readRealElement, (view, at, value) => view.setFloat32(at, value as number, true));
    case 'FP64':
      return new NumberSink(datatype, readRealElement, (view, at, value) => view.setFloat64(at, value as number, true));
    case 'BOOL':
      return new NumberSink(datatype, readBooleanElement, (view, at, value) => view.setUint8(at, value as number));
    case 'INT64':
      return new NumberSink(datatype, readIntegerElement, (view, at, value) =>
        view.setBigInt64(at, BigInt(value), true),
      );
    case 'UINT64':
      return new NumberSink(datatype, readIntegerElement, (view, at, value) =>
        view.setBigUint64(at, BigInt(value), true),
      );
    case 'BYTES':
      return new StringSink();
    case 'FP16':
    case 'BF16':
    case 'UINT16':
      return new NumberSink(datatype, refuseType, () => {});
    default:
      return new NumberSink(datatype, readIntegerElement, writeShort(elementBytes[datatype]));
  }
}

/** What stands at the cursor is not of this type. */
function wrongType(cursor: JsonCursor, datatype: Datatype): SkeinError {
  const value = debugText(cursor.bytes, cursor.at);
  const type = typeName(cursor.bytes, cursor.at);
  return new SkeinError('v1_element_type', { value, type, dtype: dataTypeOf(datatype).name });
}

type ReadElement = (cursor: JsonCursor, datatype: Datatype) => number | bigint;
type WriteElement = (view: DataView, at: number, value: number | bigint) => void;

const firstElements = 64;

class NumberSink implements ElementSink {
  count = 0;
  readonly #datatype: Datatype;
  readonly #size: number;
  readonly #read: ReadElement;
  readonly #write: WriteElement;
  #view: DataView;

  constructor(datatype: Datatype, read: ReadElement, write: WriteElement) {
    this.#datatype = datatype;
    this.#size = elementBytes[datatype];
    this.#read = read;
    this.#write = write;
    this.#view = new DataView(new ArrayBuffer(firstElements * this.#size));
  }

  take(cursor: JsonCursor): void {
    const value = this.#read(cursor, this.#datatype);
    const at = this.count * this.#size;
    if (at === this.#view.byteLength) this.#view = grown(this.#view);
    this.#write(this.#view, at, value);
    this.count++;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, 0, this.count * this.#size);
  }
}

function grown(view: DataView): DataView {
  const bytes = new Uint8Array(2 * view.byteLength);
  bytes.set(new Uint8Array(view.buffer));
  return new DataView(bytes.buffer);
}

function readRealElement(cursor: JsonCursor, datatype: Datatype): number {
  const byte = cursor.peek();
  const isNumber = (byte >= zero && byte <= nine) || byte === minus || byte === upperN || byte === upperI;
  if (!isNumber) throw wrongType(cursor, datatype);
  return readReal(cursor);
}

function readBooleanElement(cursor: JsonCursor, datatype: Datatype): number {
  switch (cursor.peek()) {
    case 0x74:
      return readName(cursor, 'true', 1);
    case 0x66:
      return readName(cursor, 'false', 0);
    default:
      throw wrongType(cursor, datatype);
  }
}

const ranges: Partial<Record<Datatype, readonly [min: bigint | number, max: bigint | number]>> = {
  INT8: [-(2 ** 7), 2 ** 7 - 1],
  INT16: [-(2 ** 15), 2 ** 15 - 1],
  INT32: [-(2 ** 31), 2 ** 31 - 1],
  INT64: [-(2n ** 63n), 2n ** 63n - 1n],
  UINT8: [0, 2 ** 8 - 1],
  UINT32: [0, 2 ** 32 - 1],
  UINT64: [0, 2n ** 64n - 1n],
};

/** One that is out of range is refused, also where TensorFlow Serving would cut it to 8 or 16 bits. */
function readIntegerElement(cursor: JsonCursor, datatype: Datatype): number | bigint {
  const byte = cursor.peek();
  const { at } = cursor;
  const value = (byte >= zero && byte <= nine) || byte === minus ? readNumber(cursor) : undefined;
  const [min, max] = ranges[datatype]!;
  if ((typeof value === 'number' || typeof value === 'bigint') && value >= min && value <= max) return value;
  cursor.at = at;
  throw wrongType(cursor, datatype);
}

function refuseType(cursor: JsonCursor, datatype: Datatype): never {
  cursor.peek();
  const value = debugText(cursor.bytes, cursor.at);
  throw new SkeinError('v1_type_unsupported', { value, dtype: dataTypeOf(datatype).name });
}

function writeShort(size: number): WriteElement {
  if (size === 4) return (view, at, value) => view.setInt32(at, value as number, true);
  if (size === 2) return (view, at, value) => view.setInt16(at, value as number, true);
  return (view, at, value) => view.setInt8(at, value as number);
}

const prefixBytes = 4;

/** Strings, and bytes in base64, each with its length before it. */
class StringSink implements ElementSink {
  count = 0;
  #target = Buffer.allocUnsafe(1024);
  #length = 0;

  take(cursor: JsonCursor): void {
    const byte = cursor.peek();
    if (byte === quote) this.#takeString(cursor);
    else if (byte === openBrace) this.#append(readBase64(cursor));
    else throw wrongType(cursor, 'BYTES');
    this.count++;
  }

  bytes(): Uint8Array {
    return this.#target.subarray(0, this.#length);
  }

  #takeString(cursor: JsonCursor): void {
    const { bytes, at } = cursor;
    // an escaped quote only makes the room larger than is needed, as the next one closes the string
    let close = bytes.indexOf(quote, at + 1);
    while (close > 0 && bytes[close - 1] === 0x5c) close = bytes.indexOf(quote, close + 1);
    this.#reserve(prefixBytes + (close < 0 ? bytes.length : close) - at);
    const start = this.#length + prefixBytes;
    const end = unescapeString(cursor, this.#target, start);
    this.#target.writeUInt32LE(end - start, this.#length);
    this.#length = end;
  }

  #append(value: Uint8Array): void {
    this.#reserve(prefixBytes + value.byteLength);
    this.#target.writeUInt32LE(value.byteLength, this.#length);
    this.#target.set(value, this.#length + prefixBytes);
    this.#length += prefixBytes + value.byteLength;
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#target.length) return;
    const larger = Buffer.allocUnsafe(2 * (this.#length + bytes));
    this.#target.copy(larger, 0, 0, this.#length);
    this.#target = larger;
  }
}
