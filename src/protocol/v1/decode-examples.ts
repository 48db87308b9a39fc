import { SkeinError } from '../errors.ts';
import { closeBracket, comma, minus, nine, openBrace, openBracket, quote, zero } from '../json/json-characters.ts';
import type { JsonCursor } from '../json/json-cursor.ts';
import { JsonReal, readNumber } from '../json/json-number.ts';
import { unescapeString } from '../json/json-string.ts';
import { readMembers } from '../json/json-value.ts';
import type { Example, Feature } from '../tfserving/example.ts';
import { isBase64, readBase64 } from './base64-value.ts';
import { typeName } from './debug-text.ts';
import { type RequestDocument, readRequestDocument } from './request-document.ts';

interface ExamplesDocument {
  readonly signatureName: string;
  readonly examples: readonly Example[];
  /** Features that all examples share. */
  readonly context: Example | undefined;
}

/** The body of POST /v1/models/{model}:classify and :regress. */
export function decodeExamples(body: Buffer): ExamplesDocument {
  const document = readRequestDocument(body);
  const context = document.has('context') ? readExample(document.cursorOn('context')) : undefined;
  return { signatureName: document.signatureName, context, examples: readExamples(document) };
}

function readExamples(document: RequestDocument): Example[] {
  if (!document.has('examples')) {
    throw document.fault("When method is classify, key 'examples' is expected and was not found");
  }
  const cursor = document.cursorOn('examples');
  if (cursor.peek() !== openBracket) throw document.fault("Expecting 'examples' value to be an list/array");
  const examples = readList(cursor, readExample);
  if (examples.length === 0) throw document.fault("'examples' value is an empty array");
  return examples;
}

function readList<T>(cursor: JsonCursor, read: (cursor: JsonCursor) => T): T[] {
  const values: T[] = [];
  cursor.enter();
  cursor.at++;
  let byte = cursor.peek();
  while (byte !== closeBracket) {
    values.push(read(cursor));
    byte = cursor.peek();
    if (byte === comma) cursor.at++;
    else if (byte !== closeBracket) throw cursor.fault("Missing a comma or ']' after an array element.");
  }
  cursor.at++;
  cursor.leave();
  return values;
}

function readExample(cursor: JsonCursor): Example {
  if (cursor.peek() !== openBrace) {
    throw new SkeinError('v1_example_kind', { type: typeName(cursor.bytes, cursor.at) });
  }
  const example = new Map<string, Feature>();
  readMembers(cursor, (name) => {
    example.set(name, readFeature(cursor, name));
  });
  return example;
}

type Value = { readonly kind: 'bytes' | 'float' | 'int64'; readonly value: Uint8Array | number | bigint };

function readFeature(cursor: JsonCursor, name: string): Feature {
  const isList = cursor.peek() === openBracket;
  const values = isList ? readList(cursor, () => readValue(cursor, name)) : [readValue(cursor, name)];
  const first = values[0];
  if (first === undefined) return { kind: 'none', values: [] };
  if (values.some(({ kind }) => kind !== first.kind)) {
    throw new SkeinError('feature_mixed', { feature: name.slice(0, 256), kind: first.kind });
  }
  return { kind: first.kind, values: values.map(({ value }) => value) } as Feature;
}

const int64Max = 2n ** 63n - 1n;

function readValue(cursor: JsonCursor, name: string): Value {
  const byte = cursor.peek();
  if (byte === quote) return { kind: 'bytes', value: readStringBytes(cursor) };
  if (byte === openBrace && isBase64(cursor)) return { kind: 'bytes', value: readBase64(cursor) };
  const type = typeName(cursor.bytes, cursor.at);
  if (type === 'True' || type === 'False') {
    cursor.at += type.length;
    return { kind: 'int64', value: type === 'True' ? 1n : 0n };
  }
  const isNamed = byte === 0x4e || byte === 0x49; // NaN, Infinity
  const isNumber = (byte >= zero && byte <= nine) || byte === minus || isNamed;
  if (!isNumber && type !== 'Number') throw new SkeinError('feature_element', { feature: name.slice(0, 256), type });
  const number = readNumber(cursor);
  if (number instanceof JsonReal) return { kind: 'float', value: Math.fround(number.value) };
  const whole = BigInt(number);
  if (whole > int64Max) throw new SkeinError('feature_uint64', { feature: name.slice(0, 256) });
  return { kind: 'int64', value: whole };
}

function readStringBytes(cursor: JsonCursor): Uint8Array {
  const close = endOfString(cursor);
  const target = Buffer.allocUnsafe(close - cursor.at);
  return target.subarray(0, unescapeString(cursor, target, 0));
}

function endOfString({ bytes, at }: JsonCursor): number {
  let end = at + 1;
  while (end < bytes.length && bytes[end] !== quote) end += bytes[end] === 0x5c ? 2 : 1;
  return Math.min(end, bytes.length);
}
