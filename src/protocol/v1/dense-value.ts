import { SkeinError } from '../errors.ts';
import { closeBracket, comma, openBracket } from '../json/json-characters.ts';
import { JsonCursor } from '../json/json-cursor.ts';
import { readElements, readValue } from '../json/json-value.ts';
import { debugText } from './debug-text.ts';
import type { ElementSink } from './element-sink.ts';

/**
 * Reads the value at the cursor, a scalar or lists in lists, into the sink, and answers its shape: [] for a scalar. All
 * lists of a level must be of one size. The first way down decides the shape, and the faults are those of TensorFlow
 * Serving, which measures that way before it looks at any element.
 */
export function readDense(cursor: JsonCursor, sink: ElementSink): number[] {
  return new DenseReader(cursor, sink).read();
}

const unknown = -1;

class DenseReader {
  readonly #cursor: JsonCursor;
  readonly #sink: ElementSink;
  /** Size of the lists of each level; unknown until the first one ends. */
  readonly #shape: number[] = [];
  /** Where the list stands that is being read, by level. */
  readonly #starts: number[] = [];
  /** The first way down has come to its end: no list is deeper. */
  #isRankKnown = false;

  constructor(cursor: JsonCursor, sink: ElementSink) {
    this.#cursor = cursor;
    this.#sink = sink;
  }

  read(): number[] {
    this.#value(0);
    return this.#shape;
  }

  #value(level: number): void {
    const cursor = this.#cursor;
    if (cursor.peek() === openBracket) {
      if (level === this.#shape.length) this.#deepen(level);
      this.#list(level);
      return;
    }
    this.#isRankKnown = true;
    const rank = this.#shape.length;
    if (level !== rank) throw this.#fault(level, () => wrongLevel(cursor, level, rank));
    try {
      this.#sink.take(cursor);
    } catch (fault) {
      throw this.#fault(level, () => fault);
    }
  }

  #deepen(level: number): void {
    if (this.#isRankKnown) {
      throw this.#fault(level, () => new SkeinError('v1_list_level', { level, rank: this.#shape.length }));
    }
    this.#shape.push(unknown);
  }

  #list(level: number): void {
    const cursor = this.#cursor;
    this.#starts[level] = cursor.at;
    let size = 0;
    cursor.enter();
    cursor.at++;
    let byte = cursor.peek();
    if (byte === closeBracket) this.#isRankKnown = true;
    while (byte !== closeBracket) {
      this.#value(level + 1);
      size++;
      byte = cursor.peek();
      if (byte === comma) cursor.at++;
      else if (byte !== closeBracket) throw cursor.fault("Missing a comma or ']' after an array element.");
    }
    cursor.at++;
    cursor.leave();
    const expected = this.#shape[level]!;
    if (expected === unknown) this.#shape[level] = size;
    else if (size !== expected) throw this.#fault(level, () => wrongSize(size, level, expected));
  }

  /** The fault at hand, unless a list around it has the wrong size: that is seen first. */
  #fault(levels: number, inside: () => unknown): unknown {
    for (let level = 0; level < levels; level++) {
      const expected = this.#shape[level]!;
      if (expected === unknown) continue;
      const size = sizeOf(this.#cursor.bytes, this.#starts[level]!);
      if (size !== expected) return wrongSize(size, level, expected);
    }
    return inside();
  }
}

function sizeOf(bytes: Buffer, at: number): number {
  const cursor = new JsonCursor(bytes, at);
  let size = 0;
  readElements(cursor, () => {
    readValue(cursor);
    size++;
  });
  return size;
}

function wrongSize(size: number, level: number, expected: number): SkeinError {
  return new SkeinError('v1_list_size', { size, level, expected });
}

function wrongLevel({ bytes, at }: JsonCursor, level: number, rank: number): SkeinError {
  return new SkeinError('v1_value_level', { value: debugText(bytes, at), level: level + 1, rank });
}
