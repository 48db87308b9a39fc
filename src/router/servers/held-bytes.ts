/** More than this is not read ahead of the answer that comes first. */
const heldAtMostBytes = 64 * 1024;
const heldAtMostPieces = 64;

/** What a client sent before it had its answer: the beginning of its next request. */
export class HeldBytes {
  #pieces: Buffer[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** The connection should not be read for now. */
  get isFull(): boolean {
    return this.#bytes > heldAtMostBytes || this.#pieces.length > heldAtMostPieces;
  }

  add(piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
  }

  /** All of it, in one piece; nothing is held any more. */
  take(): Buffer {
    const taken = this.#pieces.length === 1 ? this.#pieces[0]! : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return taken;
  }
}
