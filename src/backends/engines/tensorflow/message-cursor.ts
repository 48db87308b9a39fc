/**
 * Walks the fields of one protobuf message in the order in which they lie; what nobody asks for is stepped over, not
 * read. Throws RangeError on bytes that are no message.
 */
export class MessageCursor {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Number of the present field. */
  field = 0;
  /** Of a varint field: its value, signed; exact up to 2^53. */
  value = 0;
  #from = 0;
  #to = 0;

  constructor(bytes: Buffer, from = 0, to = bytes.length) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = to;
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const key = this.#varint();
    this.field = key >>> 3;
    this.value = 0;
    this.#from = this.#at;
    switch (key & 7) {
      case 0:
        this.value = this.#varint();
        break;
      case 1:
        this.#at += 8;
        break;
      case 2: {
        const length = this.#varint();
        this.#from = this.#at;
        if (length < 0) throw new RangeError('a field of negative length');
        this.#at += length;
        break;
      }
      case 5:
        this.#at += 4;
        break;
      default:
        throw new RangeError(`wire type ${key & 7}`);
    }
    this.#to = this.#at;
    if (this.#at > this.#end) throw new RangeError('a field that ends beyond its message');
    return true;
  }

  /** The present field as a message of its own. */
  message(): MessageCursor {
    return new MessageCursor(this.#bytes, this.#from, this.#to);
  }

  text(): string {
    return this.#bytes.toString('utf8', this.#from, this.#to);
  }

  /** A view of the present field's bytes. */
  bytes(): Buffer {
    return this.#bytes.subarray(this.#from, this.#to);
  }

  #varint(): number {
    let low = 0;
    let high = 0;
    for (let i = 0; i < 10; i++) {
      if (this.#at >= this.#end) throw new RangeError('a number that ends beyond its message');
      const byte = this.#bytes[this.#at++]!;
      const bits = byte & 0x7f;
      if (i < 4) low |= bits << (7 * i);
      else if (i === 4) {
        low |= bits << 28;
        high |= bits >> 4;
      } else high |= bits << (7 * i - 32);
      if (byte < 0x80) return high * 0x1_0000_0000 + (low >>> 0);
    }
    throw new RangeError('a number of more than ten bytes');
  }
}

/** Calls `take` for each field. */
export function eachField(cursor: MessageCursor, take: (cursor: MessageCursor) => void): void {
  while (cursor.next()) take(cursor);
}

/** Key and value of an entry of a map whose keys are strings. */
export function mapEntry(entry: MessageCursor): { key: string; value: MessageCursor | undefined } {
  let key = '';
  let value: MessageCursor | undefined;
  while (entry.next()) {
    if (entry.field === 1) key = entry.text();
    else if (entry.field === 2) value = entry.message();
  }
  return { key, value };
}
