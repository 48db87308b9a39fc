/** How much of a refusal's body is kept to show. */
const keptBytes = 1_024;
const maxHeadBytes = 64 * 1_024;

const lengthPattern = /\r\ncontent-length: *(\d+)/i;
const chunkedPattern = /\r\ntransfer-encoding:[^\r]*chunked/i;
const closePattern = /\r\nconnection: *close/i;

/**
 * Reads HTTP/1.1 answers as their bytes come, and keeps nothing of an answer but its status: a load generator that
 * decodes what it gets measures itself.
 */
export class AnswerReader {
  status = 0;
  /** The server closes the connection after this answer. */
  closes = false;
  /** The beginning of the body where the status is not 200. */
  text = '';
  #head = '';
  /** Bytes of the body that are still to come; -1: the head is not complete, Infinity: until the connection ends. */
  #left = -1;
  #chunks: ChunkWalker | undefined;
  readonly #keep: KeepBody = (bytes, from, to) => {
    if (this.status !== 200 && this.text.length < keptBytes) this.text += bytes.toString('utf8', from, to);
  };

  /** Whether the answer is complete with these bytes. Throws where they are no HTTP/1.1. */
  push(bytes: Buffer): boolean {
    let from = 0;
    while (this.#left === -1) {
      from = this.#readHead(bytes, from);
      if (from < 0) return false;
    }
    if (this.#chunks !== undefined) return this.#chunks.push(bytes, from, this.#keep);
    this.#keep(bytes, from, bytes.length);
    this.#left -= bytes.length - from;
    if (this.#left < 0) throw new Error('the server sent more than the length that it named');
    return this.#left === 0;
  }

  /** Whether the end of the connection completes the answer. */
  end(): boolean {
    return this.#left === Infinity;
  }

  reset(): void {
    this.#head = '';
    this.#left = -1;
    this.#chunks = undefined;
    this.status = 0;
    this.text = '';
  }

  /** Where the body begins in `bytes`; -1: further on. An interim answer (1xx) is passed over: the head is open again. */
  #readHead(bytes: Buffer, from: number): number {
    const before = this.#head.length;
    // Heads come whole, as good as always; a body that follows is not worth turning into text.
    const cut = bytes.indexOf('\r\n\r\n', from, 'latin1');
    const head = this.#head + bytes.toString('latin1', from, cut < 0 ? bytes.length : cut + 4);
    const end = head.indexOf('\r\n\r\n');
    if (end < 0) {
      if (head.length > maxHeadBytes) throw new Error('the head of the answer does not end');
      this.#head = head;
      return -1;
    }
    const next = from + end + 4 - before;
    this.#head = '';
    if (!head.startsWith('HTTP/1.')) throw new Error('the answer is not HTTP/1.1');
    this.status = Number(head.slice(9, 12));
    if (this.status < 200) {
      return next;
    }
    this.closes = closePattern.test(head);
    this.#chunks = chunkedPattern.test(head) ? new ChunkWalker() : undefined;
    const length = lengthPattern.exec(head)?.[1];
    this.#left = this.status === 204 ? 0 : Number(length ?? Infinity);
    return next;
  }
}

/** Told of the body's own bytes. */
type KeepBody = (bytes: Buffer, from: number, to: number) => void;

/** Behind every chunk. */
const lineEndBytes = 2;

/** Finds the end of a chunked body. Trailers are passed over. */
class ChunkWalker {
  #line = '';
  /** Bytes of the chunk and its line end that are still to come. */
  #left = 0;
  #isTrailer = false;

  push(bytes: Buffer, from: number, keep: KeepBody): boolean {
    for (let at = from; at < bytes.length; ) {
      if (this.#left > 0) {
        const step = Math.min(this.#left, bytes.length - at);
        if (this.#left > lineEndBytes) keep(bytes, at, at + Math.min(step, this.#left - lineEndBytes));
        this.#left -= step;
        at += step;
        continue;
      }
      const lineEnd = bytes.indexOf(10, at);
      this.#line += bytes.toString('latin1', at, lineEnd < 0 ? bytes.length : lineEnd);
      if (lineEnd < 0) return false;
      at = lineEnd + 1;
      if (this.#takeLine()) return true;
    }
    return false;
  }

  /** Whether that was the last line of the body. */
  #takeLine(): boolean {
    const line = this.#line.trimEnd();
    this.#line = '';
    if (this.#isTrailer) return line === '';
    const size = Number.parseInt(line, 16);
    if (Number.isNaN(size)) throw new Error(`'${line.slice(0, 40)}' is not the size of a chunk`);
    if (size === 0) this.#isTrailer = true;
    else this.#left = size + lineEndBytes;
    return false;
  }
}
