import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import type { InferReply } from '../../adapters/adapter.ts';
import { heldReplyBytes } from './reply-relay.ts';
import type { StrictAnswerHeads } from './strict-answer-heads.ts';

/** Bodies up to this size are copied behind their head, so that both leave in one piece. */
const copiedBytes = 16 * 1024;

/** Writes the answers of one connection, one after the other: at once where they are small, else piece by piece. */
export class StrictAnswer {
  readonly #socket: Socket;
  readonly #heads: StrictAnswerHeads;
  #reply: InferReply | undefined;
  #held: Uint8Array[] = [];
  #relayedBytes = 0;
  /** The client has something of the answer: it can only go on or break off. */
  isStarted = false;

  constructor(socket: Socket, heads: StrictAnswerHeads) {
    this.#socket = socket;
    this.#heads = heads;
  }

  begin(reply: InferReply): void {
    this.#reply = reply;
    this.forget();
    if (reply.bodyBytes <= heldReplyBytes) return;
    this.isStarted = true;
    this.#socket.write(this.#heads.ok(reply.headerLength, reply.bodyBytes));
  }

  /** False where the client is behind. */
  piece(piece: Uint8Array): boolean {
    if (!this.isStarted) {
      this.#held.push(piece);
      return true;
    }
    this.#relayedBytes += piece.byteLength;
    return this.#socket.write(piece);
  }

  /** False where fewer or more bytes came than the head said: the client must not take them for the answer. */
  end(): boolean {
    const { bodyBytes } = this.#reply!;
    if (!this.isStarted) this.#sendWhole(this.#reply!);
    const isWhole = !this.isStarted || this.#relayedBytes === bodyBytes;
    this.isStarted = false;
    this.#relayedBytes = 0;
    this.#reply = undefined;
    return isWhole;
  }

  /** Lets go of what the client has nothing of. */
  forget(): void {
    if (this.#held.length > 0) this.#held = [];
  }

  #sendWhole(reply: InferReply): void {
    const held = this.#held;
    this.#held = [];
    let bodyBytes = 0;
    for (const piece of held) bodyBytes += piece.byteLength;
    const head = this.#heads.ok(reply.headerLength, bodyBytes);
    if (bodyBytes <= copiedBytes) {
      const whole = Buffer.allocUnsafe(head.length + bodyBytes);
      whole.set(head);
      let at = head.length;
      for (const piece of held) {
        whole.set(piece, at);
        at += piece.byteLength;
      }
      this.#socket.write(whole);
      return;
    }
    this.#socket.cork();
    this.#socket.write(head);
    for (const piece of held) this.#socket.write(piece);
    this.#socket.uncork();
  }
}
