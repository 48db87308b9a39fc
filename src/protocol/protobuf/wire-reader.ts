import { SkeinError } from '../errors.ts';

/** How the value of a field is written (protobuf.dev, encoding). */
export const WireType = { varint: 0, fixed64: 1, bytes: 2, startGroup: 3, endGroup: 4, fixed32: 5 } as const;

/** Messages inside each other; protobuf's own limit. */
const depthLimit = 100;

/**
 * Reads a protobuf message from the pieces in which it came: fields in the order of the bytes, known ones by their kind,
 * all others skipped. What is handed out in parts are views of the pieces. Throws protobuf_malformed where the bytes are
 * no message.
 */
export class WireReader {
  readonly #pieces: readonly Uint8Array[];
  #piece = 0;
  #at = 0;
  /** Bytes read, and where the message at hand ends. */
  #position = 0;
  #end: number;
  #depth = 0;
  #tag = 0;
  #low = 0;
  #high = 0;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    let end = 0;
    for (const piece of pieces) end += piece.byteLength;
    this.#end = end;
  }

  /** The number of the next field, 0 at the end of the message at hand. */
  next(): number {
    if (this.#position === this.#end) return 0;
    this.#tag = this.#unsigned();
    const field = this.#tag >>> 3;
    if (field === 0) throw malformed('a field has number 0');
    return field;
  }

  get wireType(): number {
    return this.#tag & 7;
  }

  skip(): void {
    switch (this.wireType) {
      case WireType.varint:
        this.#varint();
        return;
      case WireType.fixed64:
        this.#advance(8);
        return;
      case WireType.bytes:
        this.#advance(this.#length());
        return;
      case WireType.fixed32:
        this.#advance(4);
        return;
      default:
        throw malformed(`a field is of wire type ${this.wireType}, which is not in use any more`);
    }
  }

  /** As int32, uint32 and enum have it: the low 32 bits, signed. */
  int32(): number {
    this.#expect(WireType.varint);
    this.#varint();
    return this.#low;
  }

  bool(): boolean {
    this.#expect(WireType.varint);
    this.#varint();
    return this.#low !== 0 || this.#high !== 0;
  }

  int64(): bigint {
    this.#expect(WireType.varint);
    this.#varint();
    return (BigInt(this.#high) << 32n) | BigInt(this.#low >>> 0);
  }

  /** The same, written to a tensor: little-endian. */
  int64Into(view: DataView, at: number): void {
    this.#expect(WireType.varint);
    this.#varint();
    view.setInt32(at, this.#low, true);
    view.setInt32(at + 4, this.#high, true);
  }

  string(): string {
    const bytes = this.bytes();
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  /** In one piece; copied only where it came in several. */
  bytes(): Uint8Array {
    const parts = this.parts();
    return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  }

  /** As it came. Empty for no bytes. */
  parts(): Uint8Array[] {
    this.#expect(WireType.bytes);
    let wanted = this.#length();
    this.#position += wanted;
    const parts: Uint8Array[] = [];
    while (wanted > 0) {
      const piece = this.#pieces[this.#piece]!;
      const end = Math.min(piece.byteLength, this.#at + wanted);
      if (end > this.#at) parts.push(piece.subarray(this.#at, end));
      wanted -= end - this.#at;
      this.#move(end, piece);
    }
    return parts;
  }

  /** Reads the message that the field holds; `read` takes its fields until `next` answers 0. */
  message<T>(read: (reader: WireReader) => T): T {
    this.#expect(WireType.bytes);
    const length = this.#length();
    if (++this.#depth > depthLimit) throw malformed(`messages are nested more than ${depthLimit} deep`);
    const outerEnd = this.#end;
    this.#end = this.#position + length;
    const value = read(this);
    if (this.#position !== this.#end) throw malformed('a message goes on behind its end');
    this.#end = outerEnd;
    this.#depth--;
    return value;
  }

  /** Each value of a repeated varint, packed or not; `take` reads one. Called once for each occurrence of the field. */
  varints(take: () => void): void {
    if (this.wireType !== WireType.bytes) {
      take();
      return;
    }
    this.message(() => {
      this.#tag = (this.#tag & ~7) | WireType.varint;
      while (this.#position < this.#end) take();
    });
  }

  float(): number {
    const bytes = this.fixed(WireType.fixed32);
    return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
  }

  /** The bytes of a float or a double. */
  fixed(wireType: typeof WireType.fixed32 | typeof WireType.fixed64): Uint8Array {
    this.#expect(wireType);
    const bytes = new Uint8Array(wireType === WireType.fixed32 ? 4 : 8);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#byte();
    return bytes;
  }

  #expect(wireType: number): void {
    if (this.wireType !== wireType) {
      throw malformed(`field ${this.#tag >>> 3} is of wire type ${this.wireType} where ${wireType} is expected`);
    }
  }

  #length(): number {
    const length = this.#unsigned();
    if (length > this.#end - this.#position) {
      throw malformed(`a field of ${length} bytes stands where ${this.#end - this.#position} are left`);
    }
    return length;
  }

  #byte(): number {
    if (this.#position === this.#end) throw malformed('it ends in the midst of a field');
    let piece = this.#pieces[this.#piece]!;
    while (this.#at === piece.byteLength) {
      this.#move(this.#at, piece);
      piece = this.#pieces[this.#piece]!;
    }
    this.#position++;
    return piece[this.#at++]!;
  }

  #unsigned(): number {
    this.#varint();
    if (this.#high !== 0) throw malformed('a length or a field number is beyond 32 bits');
    return this.#low >>> 0;
  }

  /** Into `#low` and `#high`: 64-bit numbers as two of 32 bits, because a bigint for each would cost more than reading. */
  #varint(): void {
    let low = 0;
    this.#high = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte();
      low |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#low = low;
        return;
      }
    }
    const middle = this.#byte();
    this.#low = low | (middle << 28);
    let high = (middle & 0x7f) >> 4;
    let byte = middle;
    for (let shift = 3; byte >= 0x80; shift += 7) {
      if (shift > 31) throw malformed('a number is longer than ten bytes');
      byte = this.#byte();
      high |= (byte & 0x7f) << shift;
    }
    this.#high = high;
  }

  #advance(bytes: number): void {
    if (bytes > this.#end - this.#position) throw malformed('it ends in the midst of a field');
    this.#position += bytes;
    for (let left = bytes; left > 0; ) {
      const piece = this.#pieces[this.#piece]!;
      const end = Math.min(piece.byteLength, this.#at + left);
      left -= end - this.#at;
      this.#move(end, piece);
    }
  }

  #move(end: number, piece: Uint8Array): void {
    this.#at = end;
    if (end < piece.byteLength) return;
    this.#piece++;
    this.#at = 0;
  }
}

function malformed(reason: string): SkeinError {
  return new SkeinError('protobuf_malformed', { reason });
}
