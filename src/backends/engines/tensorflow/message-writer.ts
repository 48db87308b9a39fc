/** Writes one protobuf message; bytes grow as needed. */
export class MessageWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(expectedBytes = 64) {
    // More than 64 bytes lie outside V8's heap, where C may read them.
    this.#bytes = Buffer.from(new ArrayBuffer(Math.max(128, expectedBytes)));
  }

  /** Negative numbers take ten bytes, as protobuf has it. */
  varint(field: number, value: number): void {
    this.#key(field, 0);
    this.#varint(BigInt.asUintN(64, BigInt(value)));
  }

  double(field: number, value: number): void {
    this.#key(field, 1);
    this.#reserve(8);
    this.#length = this.#bytes.writeDoubleLE(value, this.#length);
  }

  float(field: number, value: number): void {
    this.#key(field, 5);
    this.#reserve(4);
    this.#length = this.#bytes.writeFloatLE(value, this.#length);
  }

  bytes(field: number, value: Uint8Array): void {
    this.#key(field, 2);
    this.#varint(BigInt(value.byteLength));
    this.#reserve(value.byteLength);
    this.#bytes.set(value, this.#length);
    this.#length += value.byteLength;
  }

  text(field: number, value: string): void {
    this.bytes(field, Buffer.from(value));
  }

  message(field: number, write: (inner: MessageWriter) => void): void {
    const inner = new MessageWriter();
    write(inner);
    this.bytes(field, inner.finish());
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  #key(field: number, wireType: number): void {
    this.#varint(BigInt(field * 8 + wireType));
  }

  #varint(value: bigint): void {
    this.#reserve(10);
    let rest = value;
    while (rest > 0x7fn) {
      this.#bytes[this.#length++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.#bytes[this.#length++] = Number(rest);
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes <= this.#bytes.length) return;
    const larger = Buffer.from(new ArrayBuffer(Math.max(this.#length + bytes, 2 * this.#bytes.length)));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
