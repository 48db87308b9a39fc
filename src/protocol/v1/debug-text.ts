import { closeBrace, closeBracket, comma, openBrace, openBracket, quote } from '../json/json-characters.ts';
import { JsonCursor } from '../json/json-cursor.ts';
import { JsonReal } from '../json/json-number.ts';
import { readString } from '../json/json-string.ts';
import { readValue } from '../json/json-value.ts';
import { PrettyJson } from './pretty-json.ts';

/** From this length on TensorFlow Serving writes no further token. */
const limit = 256;

class Excerpt {
  text = '';
  add(text: string): void {
    this.text += text;
  }
}

/** The value at an offset of a well-formed text, as TensorFlow Serving quotes it in its errors: pretty, and broken off. */
export function debugText(bytes: Buffer, at: number): string {
  const excerpt = new Excerpt();
  const writer = new PrettyJson(excerpt);
  writer.singleLine = true;
  new DebugWriter(new JsonCursor(bytes, at), excerpt, writer).value();
  return excerpt.text;
}

/** What RapidJSON calls the kind of the value at an offset. */
export function typeName(bytes: Buffer, at: number): string {
  switch (String.fromCharCode(new JsonCursor(bytes, at).peek())) {
    case 'n':
      return 'Null';
    case 't':
      return 'True';
    case 'f':
      return 'False';
    case '{':
      return 'Object';
    case '[':
      return 'Array';
    case '"':
      return 'String';
    default:
      return 'Number';
  }
}

/** Each step answers whether the next one may write. */
class DebugWriter {
  readonly #cursor: JsonCursor;
  readonly #excerpt: Excerpt;
  readonly #writer: PrettyJson;

  constructor(cursor: JsonCursor, excerpt: Excerpt, writer: PrettyJson) {
    this.#cursor = cursor;
    this.#excerpt = excerpt;
    this.#writer = writer;
  }

  value(): boolean {
    if (this.#isFull) return false;
    switch (this.#cursor.peek()) {
      case openBrace:
        return this.#object();
      case openBracket:
        return this.#array();
      case quote:
        this.#writer.string(readString(this.#cursor));
        return true;
      default:
        this.#writer.raw(scalarText(this.#cursor));
        return true;
    }
  }

  get #isFull(): boolean {
    return this.#excerpt.text.length >= limit;
  }

  #object(): boolean {
    const cursor = this.#cursor;
    this.#writer.startObject();
    cursor.at++;
    while (cursor.peek() !== closeBrace) {
      if (this.#isFull) return false;
      this.#writer.string(readString(cursor));
      cursor.peek();
      cursor.at++; // the colon
      if (!this.value()) return false;
      if (cursor.peek() === comma) cursor.at++;
    }
    cursor.at++;
    if (this.#isFull) return false;
    this.#writer.endObject();
    return true;
  }

  #array(): boolean {
    const cursor = this.#cursor;
    this.#writer.startArray();
    cursor.at++;
    while (cursor.peek() !== closeBracket) {
      if (!this.value()) return false;
      if (cursor.peek() === comma) cursor.at++;
    }
    cursor.at++;
    if (this.#isFull) return false;
    this.#writer.endArray();
    return true;
  }
}

function scalarText(cursor: JsonCursor): string {
  const value = readValue(cursor);
  if (!(value instanceof JsonReal)) return String(value);
  const text = Number.isFinite(value.value) ? String(value.value).replace('+', '') : String(value.value);
  return Number.isInteger(value.value) && !text.includes('e') ? `${text}.0` : text;
}
