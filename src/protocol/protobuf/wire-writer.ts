import { WireType } from './wire-reader.ts';

/** Written numbers are gathered up to this size. */
const chunkBytes = 1024;

/** Bytes from this size on are handed out as they are; smaller ones are copied to what stands around them. */
const ownPartBytes = 512;

/** Writes a protobuf message as parts, of which large fields are the very bytes that were given. */
export class WireWriter {
  readonly #parts: Uint8Array[] = [];
  #chunk = Buffer.allocUnsafe(chunkBytes);
  #start = 0;
  #at = 0;
  #flushedBytes = 0;

  get byteLength(): number {
    return this.#flushedBytes + this.#at - this.#start;
  }

  /** What was written so far, in order. */
  get parts(): readonly Uint8Array[] {
    this.#flush();
    return this.#parts;
  }

  /** The whole message in one piece. */
  joined(): Buffer {
    return Buffer.concat(this.parts);
  }

  int32(field: number, value: number): void {
    this.#tag(field, WireType.varint);
    if (value >= 0) this.#unsigned(value);
    else this.#varint64(BigInt.asUintN(64, BigInt(value)));
  }

  /** int64 and uint64. */
  int64(field: number, value: bigint): void {
    this.#tag(field, WireType.varint);
    this.#varint64(BigInt.asUintN(64, value));
  }

  bool(field: number, value: boolean): void {
    this.#tag(field, WireType.varint);
    this.#unsigned(value ? 1 : 0);
  }

  float(field: number, value: number): void {
    this.#tag(field, WireType.fixed32);
    this.#reserve(4);
    this.#at = this.#chunk.writeFloatLE(value, this.#at);
  }

  string(field: number, value: string): void {
    this.bytes(field, [Buffer.from(value)]);
  }

  bytes(field: number, parts: readonly Uint8Array[]): void {
    let length = 0;
    for (const part of parts) length += part.byteLength;
    this.#tag(field, WireType.bytes);
    this.#unsigned(length);
    for (const part of parts) this.#append(part);
  }

  message(field: number, write: (writer: WireWriter) => void): void {
    const inner = new WireWriter();
    write(inner);
    this.bytes(field, inner.parts);
  }

  /** A packed repeated field of varints. */
  packed(field: number, count: number, valueAt: (index: number) => number | bigint): void {
    const inner = new WireWriter();
    for (let i = 0; i < count; i++) {
      const value = valueAt(i);
      if (typeof value === 'number' && value >= 0) inner.#unsigned(value);
      else inner.#varint64(BigInt.asUintN(64, BigInt(value)));
    }
    this.bytes(field, inner.parts);
  }

  #tag(field: number, wireType: number): void {
    this.#unsigned(field * 8 + wireType);
  }

  /** Of at most 53 bits. */
  #unsigned(value: number): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80) {
      this.#chunk[this.#at++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.#chunk[this.#at++] = rest;
  }

  #varint64(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest >= 0x80n) {
      this.#chunk[this.#at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#chunk[this.#at++] = Number(rest);
  }

  #append(bytes: Uint8Array): void {
    if (bytes.byteLength >= ownPartBytes) {
      this.#flush();
      this.#parts.push(bytes);
      this.#flushedBytes += bytes.byteLength;
      return;
    }
    this.#reserve(bytes.byteLength);
    this.#chunk.set(bytes, this.#at);
    this.#at += bytes.byteLength;
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#chunk.length) return;
    this.#flush();
    this.#chunk = Buffer.allocUnsafe(Math.max(chunkBytes, bytes));
    this.#start = 0;
    this.#at = 0;
  }

  #flush(): void {
    if (this.#at === this.#start) return;
    this.#parts.push(this.#chunk.subarray(this.#start, this.#at));
    this.#flushedBytes += this.#at - this.#start;
    this.#start = this.#at;
  }
}
