/** Where a text goes: a body, or an excerpt for an error. */
export interface TextTarget {
  add(text: string): void;
}

interface Level {
  readonly isArray: boolean;
  /** Values written; in an object keys count, too. */
  count: number;
}

const indentWidth = 4;

/**
 * RapidJSON's PrettyWriter, byte for byte: TensorFlow Serving's bodies have its line breaks. `singleLine` may change
 * between two values, and counts when a value or the end of an array is written.
 */
export class PrettyJson {
  singleLine = false;
  readonly #target: TextTarget;
  readonly #levels: Level[] = [];

  constructor(target: TextTarget) {
    this.#target = target;
  }

  startObject(): void {
    this.#prefix();
    this.#levels.push({ isArray: false, count: 0 });
    this.#target.add('{');
  }

  endObject(): void {
    if (this.#levels.pop()!.count > 0) this.#target.add(this.#lineBreak());
    this.#target.add('}');
  }

  startArray(): void {
    this.#prefix();
    this.#levels.push({ isArray: true, count: 0 });
    this.#target.add('[');
  }

  endArray(): void {
    const { count } = this.#levels.pop()!;
    if (count > 0 && !this.singleLine) this.#target.add(this.#lineBreak());
    this.#target.add(']');
  }

  /** A key, or a string: any text between quotes. */
  string(text: string): void {
    this.raw(JSON.stringify(text));
  }

  /** A value that is text already. */
  raw(text: string): void {
    this.#prefix();
    this.#target.add(text);
  }

  /** Values of one array, in order: as `raw` for each, but joined natively. */
  rawAll(texts: readonly string[]): void {
    if (texts.length === 0) return;
    const level = this.#levels.at(-1)!;
    this.raw(texts[0]!);
    if (texts.length === 1) return;
    const separator = this.singleLine ? ', ' : `,${this.#lineBreak()}`;
    this.#target.add(separator + texts.slice(1).join(separator));
    level.count += texts.length - 1;
  }

  #prefix(): void {
    const level = this.#levels.at(-1);
    if (level === undefined) return;
    const isKey = !level.isArray && level.count % 2 === 0;
    if (level.isArray) {
      if (level.count > 0) this.#target.add(this.singleLine ? ', ' : ',');
      if (!this.singleLine) this.#target.add(this.#lineBreak());
    } else if (isKey) this.#target.add((level.count > 0 ? ',' : '') + this.#lineBreak());
    else this.#target.add(': ');
    level.count++;
  }

  #lineBreak(): string {
    return `\n${' '.repeat(this.#levels.length * indentWidth)}`;
  }
}
