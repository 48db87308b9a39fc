import type { ServerOptions } from './server-options.ts';
import { readStrictHead, type StrictHead, strictHeadLength } from './strict-head.ts';

/** A client that names as many models as this on its connections has each of their heads read once. */
const mostHeads = 1_024;

/** Longer ones are read anew: what is kept stays small. */
const longestKeptBytes = 1_024;

/** Heads of infer requests that were recognised, by their bytes: the same bytes mean the same. */
export class KnownHeads {
  readonly #options: ServerOptions;
  readonly #heads = new Map<string, StrictHead>();

  constructor(options: ServerOptions) {
    this.#options = options;
  }

  /** As readStrictHead. */
  read(bytes: Buffer): StrictHead | undefined {
    const length = strictHeadLength(bytes, this.#options);
    if (length === undefined || length > longestKeptBytes) return readStrictHead(bytes, this.#options);
    const text = bytes.toString('latin1', 0, length);
    const known = this.#heads.get(text);
    if (known !== undefined) return known;
    const head = readStrictHead(bytes, this.#options);
    if (head === undefined) return undefined;
    // Heads that never come again, as those with a trace, push out the oldest.
    if (this.#heads.size >= mostHeads) this.#heads.delete(this.#heads.keys().next().value!);
    this.#heads.set(text, head);
    return head;
  }
}
