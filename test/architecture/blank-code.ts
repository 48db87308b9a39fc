/**
 * TypeScript with its comments, strings, templates and regular expressions blanked out: what is left is code, at the same
 * offsets and lines, so that words and brackets can be looked for without being fooled by texts.
 */
export function blankCode(text: string): string {
  const scanner = new Scanner(text);
  scanner.code(false);
  return scanner.blanked;
}

/** After these a slash begins a regular expression, though they end like a name. */
const beforeValue = new Set(['return', 'typeof', 'case', 'of', 'in', 'do', 'else', 'await', 'yield', 'void', 'delete']);

class Scanner {
  readonly #text: string;
  readonly #out: string[];
  #at = 0;
  /** The last characters of code, without white space: what a slash after them means depends on it. */
  #lastWord = '';

  constructor(text: string) {
    this.#text = text;
    this.#out = text.split('');
  }

  get blanked(): string {
    return this.#out.join('');
  }

  /** Reads code to its end, or to the brace that closes a template's `${`. */
  code(inTemplate: boolean): void {
    let depth = 0;
    while (this.#at < this.#text.length) {
      const char = this.#text[this.#at]!;
      if (inTemplate && char === '}' && depth === 0) return;
      if (char === '{') depth++;
      if (char === '}') depth--;
      this.#step(char);
    }
  }

  #step(char: string): void {
    const next = this.#text[this.#at + 1];
    if (char === '/' && next === '/') this.#blankTo(this.#endOf('\n', 0));
    else if (char === '/' && next === '*') this.#blankTo(this.#endOf('*/', 2));
    else if (char === "'" || char === '"') this.#quoted(char);
    else if (char === '`') this.#template();
    else if (char === '/' && this.#beginsValue()) this.#regExp();
    else this.#keep(char);
  }

  #keep(char: string): void {
    if (/[\w$]/.test(char))
      this.#lastWord = /[\w$]$/.test(this.#text[this.#at - 1] ?? '') ? this.#lastWord + char : char;
    else if (/\S/.test(char)) this.#lastWord = char;
    this.#at++;
  }

  #beginsValue(): boolean {
    return beforeValue.has(this.#lastWord) || !/[\w$)\]}]$/.test(this.#lastWord);
  }

  #quoted(quote: string): void {
    let end = this.#at + 1;
    while (end < this.#text.length && this.#text[end] !== quote) end += this.#text[end] === '\\' ? 2 : 1;
    this.#blankTo(end + 1);
    this.#lastWord = ')'; // a value: a slash behind it divides
  }

  #regExp(): void {
    let end = this.#at + 1;
    for (let inClass = false; inClass || this.#text[end] !== '/'; end++) {
      const char = this.#text[end];
      if (char === undefined || char === '\n') break;
      if (char === '\\') end++;
      else if (char === '[') inClass = true;
      else if (char === ']') inClass = false;
    }
    this.#blankTo(end + 1);
    this.#lastWord = ')';
  }

  #template(): void {
    this.#blankTo(this.#at + 1);
    while (this.#at < this.#text.length && this.#text[this.#at] !== '`') {
      if (this.#text.startsWith('${', this.#at)) {
        this.#at += 2;
        this.#lastWord = '(';
        this.code(true);
        this.#at++;
      } else this.#blankTo(this.#at + (this.#text[this.#at] === '\\' ? 2 : 1));
    }
    this.#blankTo(this.#at + 1);
    this.#lastWord = ')';
  }

  #endOf(mark: string, markLength: number): number {
    const found = this.#text.indexOf(mark, this.#at + 1);
    return found < 0 ? this.#text.length : found + markLength;
  }

  #blankTo(end: number): void {
    for (; this.#at < end; this.#at++) if (this.#out[this.#at] !== '\n') this.#out[this.#at] = ' ';
  }
}
