import { SkeinError } from '../errors.ts';
import { closeBracket, comma, openBracket, space } from './json-characters.ts';
import { JsonCursor } from './json-cursor.ts';
import type { JsonSpan } from './json-span.ts';
import { readValue } from './json-value.ts';

/**
 * Walks the elements of a tensor's `data`, whatever their nesting: V2 takes the values flat or nested in any way, the
 * shape alone says how they lie.
 */
export class DataWalker extends JsonCursor {
  #open = 0;
  #afterElement = false;
  readonly #count: number;
  #left: number;

  /** `count` is how many elements the shape has. */
  constructor(text: Buffer, span: JsonSpan, count: number) {
    super(text.subarray(0, span.end), span.start, span.depth);
    this.#count = count;
    this.#left = count;
    // n elements need n - 1 commas and two brackets: so nothing is allocated for elements that cannot be there
    if (count > 0 && 2 * count + 1 > span.end - span.start) throw this.#mismatch('fewer');
  }

  /** Goes to the next element; false behind the last one. Throws when there are more or fewer than the shape says. */
  next(): boolean {
    const { bytes, at } = this;
    // nearly every element but the first of a row stands behind a comma and at most one space
    if (this.#afterElement && bytes[at] === comma) {
      const from = bytes[at + 1] === space ? at + 2 : at + 1;
      const byte = bytes[from]!;
      if (byte > space && byte !== openBracket && byte !== closeBracket) {
        this.at = from;
        if (--this.#left < 0) throw this.#surplus();
        return true;
      }
    }
    return this.#nextInNesting();
  }

  #nextInNesting(): boolean {
    let afterComma = false;
    for (;;) {
      const byte = this.peek();
      if (this.#afterElement) {
        if (byte !== comma && byte !== closeBracket) throw this.fault("Missing a comma or ']' after an array element.");
        this.at++;
        this.#afterElement = byte === closeBracket;
        afterComma = byte === comma;
        if (byte === closeBracket && this.#close()) return false;
      } else if (byte === openBracket) {
        this.enter();
        this.#open++;
        this.at++;
        afterComma = false;
      } else if (byte === closeBracket && !afterComma) {
        this.at++;
        this.#afterElement = true;
        if (this.#close()) return false;
      } else {
        if (--this.#left < 0) throw this.#surplus();
        this.#afterElement = true;
        return true;
      }
    }
  }

  /** More elements than the shape says, unless what stands here is no value at all. */
  #surplus(): SkeinError {
    readValue(this);
    return this.#mismatch('more');
  }

  #close(): boolean {
    this.leave();
    if (--this.#open > 0) return false;
    if (this.#left > 0) throw this.#mismatch('fewer');
    return true;
  }

  #mismatch(found: 'more' | 'fewer'): SkeinError {
    return new SkeinError('data_count', { found, count: this.#count });
  }
}
