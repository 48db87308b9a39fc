import { SkeinError } from '../errors.ts';
import { carriageReturn, lineFeed, space, tab } from './json-characters.ts';

/** RapidJSON's own sentences, which Triton hands to its users. */
type JsonFault =
  | 'The document is empty.'
  | 'The document root must not be followed by other values.'
  | 'Invalid value.'
  | 'Missing a name for object member.'
  | 'Missing a colon after a name of object member.'
  | "Missing a comma or '}' after an object member."
  | "Missing a comma or ']' after an array element."
  | 'Incorrect hex digit after \\u escape in string.'
  | 'The surrogate pair in string is invalid.'
  | 'Invalid escape character in string.'
  | 'Missing a closing quotation mark in string.'
  | 'Invalid encoding in string.'
  | 'Number too big to be stored in double.'
  | 'Miss fraction part in number.'
  | 'Miss exponent in number.';

/** Arrays and objects inside each other; the limit of Triton 2.73, which keeps the recursion of every reader small. */
const depthLimit = 100;

/** A place in a JSON text of bytes. Readers start at `at` and leave it behind what they read. */
export class JsonCursor {
  readonly bytes: Buffer;
  at: number;
  #depth: number;

  constructor(bytes: Uint8Array, at = 0, depth = 0) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
    this.#depth = depth;
  }

  get depth(): number {
    return this.#depth;
  }

  /** The byte that follows any white space, without stepping over it; NaN at the end, which equals no byte. */
  peek(): number {
    const bytes = this.bytes;
    let at = this.at;
    while (at < bytes.length) {
      const byte = bytes[at]!;
      if (byte > space || (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab)) {
        this.at = at;
        return byte;
      }
      at++;
    }
    this.at = at;
    return Number.NaN;
  }

  enter(): void {
    if (++this.#depth > depthLimit) throw new SkeinError('json_too_deep', { limit: depthLimit });
  }

  leave(): void {
    this.#depth--;
  }

  fault(reason: JsonFault, at = this.at): SkeinError {
    return new SkeinError('json_malformed', { reason, offset: at });
  }
}
