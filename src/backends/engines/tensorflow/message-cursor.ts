import { SkeinError } from '../../../protocol/errors.ts';
import { WireReader, WireType } from '../../../protocol/protobuf/wire-reader.ts';

const nothing = Buffer.alloc(0);

/**
 * Walks the fields of one protobuf message of a model in the order in which they lie; messages in it are not read before
 * somebody asks. Throws RangeError on bytes that are no message: they are a file's, not a client's.
 */
export class MessageCursor {
  readonly #reader: WireReader;
  /** Number of the present field. */
  field = 0;
  /** Of a varint field: its value, signed; exact up to 2^53. */
  value = 0;
  #content: Uint8Array = nothing;

  constructor(bytes: Uint8Array) {
    this.#reader = new WireReader([bytes]);
  }

  /** Moves to the next field; false at the end. */
  next(): boolean {
    this.value = 0;
    this.#content = nothing;
    try {
      this.field = this.#reader.next();
      if (this.field === 0) return false;
      if (this.#reader.wireType === WireType.varint) this.value = Number(this.#reader.int64());
      else if (this.#reader.wireType === WireType.bytes) this.#content = this.#reader.bytes();
      else this.#reader.skip();
      return true;
    } catch (fault) {
      throw fault instanceof SkeinError ? new RangeError(fault.message) : fault;
    }
  }

  /** The present field as a message of its own. */
  message(): MessageCursor {
    return new MessageCursor(this.#content);
  }

  text(): string {
    return this.bytes().toString('utf8');
  }

  /** A view of the present field's bytes. */
  bytes(): Buffer {
    const { buffer, byteOffset, byteLength } = this.#content;
    return Buffer.from(buffer, byteOffset, byteLength);
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
