import { malformed } from './config-tree.ts';

type TokenKind = 'name' | 'number' | 'string' | 'symbol' | 'end';

const space = /[ \t\r\n\v\f]+|#[^\n]*/y;
const word = /[A-Za-z_][A-Za-z0-9_]*/y;
/** Hexadecimal, or decimal with fraction and exponent; octal is decimal digits after a 0. A float may end in f. */
const number = /0[xX][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?[fF]?/y;
const symbols = '{}<>[]:,;-';

const simpleEscapes: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  '"': 34,
  "'": 39,
  '?': 63,
  '\\': 92,
};

const byteEscape = /[0-7]{1,3}|[xX][0-9a-fA-F]{1,2}/y;
const runeEscape = /u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}/y;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The tokens of protobuf text format, one at a time: `kind` and `text` are the token that comes next. */
export class TextProtoLexer {
  kind: TokenKind = 'end';
  /** A string's value with its escapes resolved; otherwise the token as written. */
  text = '';
  readonly #source: string;
  readonly #model: string;
  /** Of the token that comes next. */
  #start = 0;
  #position = 0;
  #line = 1;
  #lineStart = 0;
  /** The end of the line counted last; -1 before the first look. */
  #nextBreak = -1;

  constructor(source: string, model: string) {
    this.#source = source;
    this.#model = model;
    this.advance();
  }

  get where(): string {
    this.#countLines();
    return `line ${this.#line}, column ${this.#start - this.#lineStart + 1}`;
  }

  advance(): void {
    let skipped = this.#match(space);
    while (skipped !== undefined) skipped = this.#match(space);
    this.#start = this.#position;
    this.kind = this.#read();
  }

  /** Sets `text`, and says of what kind it is. */
  #read(): TokenKind {
    const character = this.#source.charAt(this.#position);
    const name = this.#match(word);
    const digits = name === undefined ? this.#match(number) : undefined;
    if (digits !== undefined && this.#match(word) !== undefined) {
      throw this.fail(`'${this.#source.slice(this.#start, this.#position).slice(0, 40)}' is not a number`);
    }
    if (name !== undefined || digits !== undefined) {
      this.text = name ?? digits ?? '';
      return digits === undefined ? 'name' : 'number';
    }
    if (character === '"' || character === "'") {
      this.text = this.#string(character);
      return 'string';
    }
    if (!symbols.includes(character)) throw this.fail(`unexpected character ${JSON.stringify(character)}`);
    this.#position += 1;
    this.text = character === '' ? 'the end of the text' : character;
    return character === '' ? 'end' : 'symbol';
  }

  fail(reason: string) {
    return malformed(this.#model, this.where, reason);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#position;
    const found = pattern.exec(this.#source)?.[0];
    this.#position += found?.length ?? 0;
    return found;
  }

  #string(quote: string): string {
    this.#position += 1;
    let from = this.#position;
    let pieces: Uint8Array[] | undefined;
    for (; ; this.#position += 1) {
      const character = this.#source.charAt(this.#position);
      if (character === '' || character === '\n') throw this.fail('this string has no closing quote on its line');
      if (character === quote) break;
      if (character !== '\\') continue;
      pieces ??= [];
      pieces.push(Buffer.from(this.#source.slice(from, this.#position)));
      pieces.push(this.#escape());
      from = this.#position;
      this.#position -= 1;
    }
    const rest = this.#source.slice(from, this.#position);
    this.#position += 1;
    if (pieces === undefined) return rest;
    try {
      return utf8.decode(Buffer.concat([...pieces, Buffer.from(rest)]));
    } catch (cause) {
      throw malformed(this.#model, this.where, `the bytes of this string are not UTF-8 (${String(cause)})`);
    }
  }

  /** Octal and hexadecimal escapes are bytes of UTF-8, \u and \U are code points. */
  #escape(): Uint8Array {
    this.#position += 1;
    const byte = this.#match(byteEscape);
    if (byte !== undefined) {
      const value = /^x/i.test(byte) ? Number.parseInt(byte.slice(1), 16) : Number.parseInt(byte, 8);
      if (value > 255) throw this.fail(`the escape \\${byte} is no byte`);
      return Uint8Array.of(value);
    }
    const rune = this.#match(runeEscape);
    if (rune !== undefined) {
      const point = Number.parseInt(rune.slice(1), 16);
      const isSurrogate = point >= 0xd800 && point <= 0xdfff;
      if (point > 0x10ffff || isSurrogate) throw this.fail(`the escape \\${rune} is no Unicode character`);
      return Buffer.from(String.fromCodePoint(point));
    }
    const letter = this.#source.charAt(this.#position);
    const simple = Object.hasOwn(simpleEscapes, letter) ? simpleEscapes[letter] : undefined;
    if (simple === undefined) throw this.fail(`unknown escape \\${letter} in this string`);
    this.#position += 1;
    return Uint8Array.of(simple);
  }

  /** Each line end is looked for once, however often a place is asked for. */
  #countLines(): void {
    while (this.#nextBreak < this.#start) {
      if (this.#nextBreak !== -1) {
        this.#line += 1;
        this.#lineStart = this.#nextBreak + 1;
      }
      const found = this.#source.indexOf('\n', this.#lineStart);
      this.#nextBreak = found === -1 ? Number.POSITIVE_INFINITY : found;
    }
  }
}
