/**
 * The protobuf wire format, as much as ONNX needs: fields in the order in which they are written, nothing read back.
 * Source: protobuf.dev/programming-guides/encoding.
 *
 * Bytes are gathered as pieces and copied once, in `encode`: a model is mostly its weights.
 */
export class ProtoMessage {
  readonly #pieces: Uint8Array[] = [];
  #sizeBytes = 0;

  /** A varint field; a negative number takes ten bytes, as protobuf's int64 does. */
  int(field: number, value: number | bigint): this {
    return this.#add(varint(field << 3)).#add(varint(value));
  }

  float(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    return this.#add(varint((field << 3) | 5)).#add(bytes);
  }

  /** The bytes are kept, not copied: they must not change before `encode`. */
  bytes(field: number, value: Uint8Array): this {
    return this.#add(varint((field << 3) | 2))
      .#add(varint(value.byteLength))
      .#add(value);
  }

  string(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }

  /** What is added to `value` afterwards does not arrive here. */
  message(field: number, value: ProtoMessage): this {
    this.#add(varint((field << 3) | 2)).#add(varint(value.#sizeBytes));
    for (const piece of value.#pieces) this.#add(piece);
    return this;
  }

  encode(): Buffer {
    return Buffer.concat(this.#pieces, this.#sizeBytes);
  }

  #add(piece: Uint8Array): this {
    this.#pieces.push(piece);
    this.#sizeBytes += piece.byteLength;
    return this;
  }
}

function varint(value: number | bigint): Uint8Array {
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 0x80 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
