/** The pieces of a body as they came from the network, handed out from the front without being copied. */
export class BodyPieces {
  readonly byteLength: number;
  readonly #pieces: readonly Uint8Array[];
  #piece = 0;
  #at = 0;
  #left: number;

  constructor(pieces: readonly Uint8Array[]) {
    this.#pieces = pieces;
    let byteLength = 0;
    for (const piece of pieces) byteLength += piece.byteLength;
    this.byteLength = byteLength;
    this.#left = byteLength;
  }

  get left(): number {
    return this.#left;
  }

  /** The next bytes as views of the pieces; there must be as many. */
  take(byteLength: number): Uint8Array[] {
    const taken: Uint8Array[] = [];
    let wanted = byteLength;
    this.#left -= wanted;
    while (wanted > 0) {
      const piece = this.#pieces[this.#piece]!;
      const end = Math.min(piece.byteLength, this.#at + wanted);
      if (end > this.#at)
        taken.push(this.#at === 0 && end === piece.byteLength ? piece : piece.subarray(this.#at, end));
      wanted -= end - this.#at;
      this.#at = end;
      if (end === piece.byteLength) {
        this.#piece++;
        this.#at = 0;
      }
    }
    return taken;
  }

  /** The next bytes in one piece; joined, and so copied, only where they came in several. */
  takeJoined(byteLength: number): Uint8Array {
    const taken = this.take(byteLength);
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken, byteLength);
  }
}
