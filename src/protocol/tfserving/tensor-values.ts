import type { SkeinError } from '../errors.ts';
import { type WireReader, WireType } from '../protobuf/wire-reader.ts';
import { type Datatype, elementBytes } from '../tensors/datatype.ts';

/** A tensor may be this much larger than what was sent of it, at the least: one value that stands for all of them. */
const filledBytes = 1024 * 1024;

/** Beyond that it may be so many times larger: a few bytes must not become gigabytes. */
const filledRatio = 64;

/** The values of a TensorProto that has them one by one: gathered before the datatype is known, which may come last. */
export class TensorValues {
  readonly #reals: Uint8Array[] = [];
  readonly #strings: Uint8Array[] = [];
  readonly #integers: number[] = [];
  #longs = new DataView(new ArrayBuffer(64));
  #longCount = 0;

  /** False for a field that holds no values. */
  take(reader: WireReader, field: number): boolean {
    switch (field) {
      case 5:
      case 6:
        this.#takeReals(reader, field === 5 ? WireType.fixed32 : WireType.fixed64);
        return true;
      case 7:
      case 11:
      case 13:
      case 16:
        reader.varints(() => this.#integers.push(reader.int32()));
        return true;
      case 8:
        this.#strings.push(reader.bytes());
        return true;
      case 10:
      case 17:
        reader.varints(() => this.#takeLong(reader));
        return true;
      default:
        return false;
    }
  }

  /**
   * `count` elements: those that were sent, then the last of them as often as it takes; zeros where there was none. Throws
   * what `refuse` makes of the reason.
   */
  fill(datatype: Datatype, count: number, refuse: (reason: string) => SkeinError): readonly Uint8Array[] {
    const sent = datatype === 'BYTES' ? this.#strings.map(withLength) : this.#elements(datatype);
    const size = elementBytes[datatype];
    const sentCount = datatype === 'BYTES' ? sent.length : lengthOf(sent) / size;
    if (sentCount > count || !Number.isInteger(sentCount)) {
      throw refuse(`it has ${Math.floor(sentCount)} values, and its shape says ${count}`);
    }
    if (sentCount === count) return sent;
    const last = lastElement(sent, datatype === 'BYTES' ? undefined : size);
    const missing = (count - sentCount) * last.byteLength;
    if (missing > filledBytes && missing > filledRatio * lengthOf(sent)) {
      throw refuse(`it has ${sentCount} values, too few to fill the ${count} of its shape with`);
    }
    return [...sent, Buffer.alloc(missing, last)];
  }

  #takeReals(reader: WireReader, wireType: typeof WireType.fixed32 | typeof WireType.fixed64): void {
    if (reader.wireType !== WireType.bytes) this.#reals.push(reader.fixed(wireType));
    else for (const part of reader.parts()) this.#reals.push(part);
  }

  #takeLong(reader: WireReader): void {
    const at = 8 * this.#longCount++;
    if (at === this.#longs.byteLength) {
      const larger = new Uint8Array(2 * at);
      larger.set(new Uint8Array(this.#longs.buffer));
      this.#longs = new DataView(larger.buffer);
    }
    reader.int64Into(this.#longs, at);
  }

  #elements(datatype: Datatype): readonly Uint8Array[] {
    if (datatype === 'FP32' || datatype === 'FP64') return this.#reals;
    if (datatype === 'INT64' || datatype === 'UINT64') {
      return this.#longCount === 0 ? [] : [new Uint8Array(this.#longs.buffer, 0, 8 * this.#longCount)];
    }
    if (this.#integers.length === 0) return [];
    const view = integerViews[elementBytes[datatype] as 1 | 2 | 4];
    const values = datatype === 'BOOL' ? this.#integers.map((value) => Number(value !== 0)) : this.#integers;
    const elements = view.from(values);
    return [new Uint8Array(elements.buffer)];
  }
}

/** Bits beyond the type are dropped, as TensorFlow drops them. */
const integerViews = { 1: Uint8Array, 2: Uint16Array, 4: Int32Array } as const;

function withLength(value: Uint8Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(4 + value.byteLength);
  bytes.writeUInt32LE(value.byteLength, 0);
  bytes.set(value, 4);
  return bytes;
}

function lastElement(sent: readonly Uint8Array[], size: number | undefined): Uint8Array {
  if (size === undefined) return sent.at(-1) ?? new Uint8Array(4);
  // a part may end in the midst of an element
  return sent.length === 0 ? new Uint8Array(size) : Buffer.concat(sent).subarray(-size);
}

function lengthOf(parts: readonly Uint8Array[]): number {
  let length = 0;
  for (const part of parts) length += part.byteLength;
  return length;
}
