import { SkeinError } from '../errors.ts';
import { openBrace, openBracket } from '../json/json-characters.ts';
import { JsonCursor } from '../json/json-cursor.ts';
import { openDocument } from '../json/json-document.ts';
import { skipArray, skipObject } from '../json/json-span.ts';
import { readMembers, readValue } from '../json/json-value.ts';
import { debugText } from './debug-text.ts';

/** The body of a request: where its members stand. Of members with the same name the first counts. */
export class RequestDocument {
  readonly text: Buffer;
  readonly signatureName: string;
  readonly #members: ReadonlyMap<string, number>;
  readonly #root: number;

  constructor(text: Buffer, root: number, members: ReadonlyMap<string, number>) {
    this.text = text;
    this.#root = root;
    this.#members = members;
    this.signatureName = this.#readSignatureName();
  }

  has(member: string): boolean {
    return this.#members.has(member);
  }

  /** A cursor on the member's value, which must be there. */
  cursorOn(member: string): JsonCursor {
    const cursor = new JsonCursor(this.text, this.#members.get(member)!, 1);
    cursor.peek();
    return cursor;
  }

  /** What is wrong with the body as a whole, which the text quotes. */
  fault(what: BodyFault): SkeinError {
    return new SkeinError('v1_body_form', { value: debugText(this.text, this.#root), fault: what });
  }

  #readSignatureName(): string {
    if (!this.has('signature_name')) return '';
    const name = readValue(this.cursorOn('signature_name'));
    if (typeof name !== 'string') {
      throw this.fault("not formatted correctly. 'signature_name' key must be a string value.");
    }
    return name;
  }
}

/** TensorFlow Serving's words for what is wrong with a body as a whole. */
type BodyFault =
  | 'Is not object'
  | "not formatted correctly. 'signature_name' key must be a string value."
  | "Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
  | "Expecting 'instances' to be an list/array"
  | "No values in 'instances' array"
  | "When method is classify, key 'examples' is expected and was not found"
  | "Expecting 'examples' value to be an list/array"
  | "'examples' value is an empty array";

/**
 * Finds the members of a body. Lists and objects are stepped over, and their syntax checked when they are read; what
 * stands behind the root is not looked at, as in TensorFlow Serving.
 */
export function readRequestDocument(text: Buffer): RequestDocument {
  const cursor = openDocument(text);
  const root = cursor.at;
  const members = new Map<string, number>();
  if (cursor.peek() !== openBrace) {
    const value = debugText(text, root);
    throw new SkeinError('v1_body_form', { value, fault: 'Is not object' satisfies BodyFault });
  }
  readMembers(cursor, (name) => {
    const byte = cursor.peek();
    if (!members.has(name)) members.set(name, cursor.at);
    if (byte === openBracket) skipArray(cursor);
    else if (byte === openBrace) skipObject(cursor);
    else readValue(cursor);
  });
  return new RequestDocument(text, root, members);
}
