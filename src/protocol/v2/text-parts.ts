/** Characters that are gathered before they are turned into bytes: far below the longest string that V8 allows. */
const gatheredLength = 65_536;

/** A text that grows as strings and leaves as UTF-8, in one piece when it is small. */
export class TextParts {
  readonly parts: Uint8Array[] = [];
  byteLength = 0;
  #gathered = '';

  add(text: string): void {
    this.#gathered += text;
    if (this.#gathered.length > gatheredLength) this.flush();
  }

  /** Must be called behind the last text. */
  flush(): void {
    if (this.#gathered === '') return;
    const bytes = Buffer.from(this.#gathered);
    this.parts.push(bytes);
    this.byteLength += bytes.byteLength;
    this.#gathered = '';
  }
}
