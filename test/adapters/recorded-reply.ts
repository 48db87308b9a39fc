import type { InferReply, ReplyObserver } from '../../src/adapters/adapter.ts';
import type { SkeinError } from '../../src/protocol/errors.ts';

/** An observer that keeps what it is told, and what it should not have been told any more. */
export class RecordedReply implements ReplyObserver {
  readonly pieces: Uint8Array[] = [];
  readonly late: string[] = [];
  head: InferReply | undefined;
  error: SkeinError | undefined;
  isOver = false;
  bytes = 0;
  readonly #over = Promise.withResolvers<void>();
  readonly #begun = Promise.withResolvers<void>();

  /** The answer is complete, or has failed. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** The first piece has come. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  get body(): Buffer {
    return Buffer.concat(this.pieces);
  }

  onReply(reply: InferReply): void {
    this.#note('onReply');
    this.head = reply;
  }

  onPiece(piece: Uint8Array): void {
    this.#note('onPiece');
    this.pieces.push(piece);
    this.bytes += piece.byteLength;
    this.#begun.resolve();
  }

  onEnd(): boolean {
    this.#note('onEnd');
    this.#end();
    return false; // it keeps them all
  }

  onError(error: SkeinError): void {
    this.#note('onError');
    this.error = error;
    this.#end();
  }

  #note(event: string): void {
    if (this.isOver) this.late.push(event);
  }

  #end(): void {
    this.isOver = true;
    this.#over.resolve();
    this.#begun.resolve();
  }
}
