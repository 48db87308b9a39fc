import type { SkeinError } from '../../protocol/errors.ts';
import { type LinkConnection, streamWindowBytes } from '../../protocol/link/connection.ts';
import { FrameType } from '../../protocol/link/frame.ts';
import { LinkRuleBroken } from '../../protocol/link/frame-reader.ts';
import { BodyKind, encodeInferHead, type ReplyHead } from '../../protocol/link/infer-head.ts';
import type { NumberedTable } from '../../protocol/link/numbered-table.ts';
import { releaseHolds, type SlabHold, type SlabHolder } from '../../protocol/reads/slab-reads.ts';
import type { Exchange, InferCall, ReplyObserver } from '../adapter.ts';
import type { BodySink, RequestBody } from '../request-body.ts';
import type { BodyLoans } from './body-loans.ts';

/** What the streams of one link share. */
export interface InferWires {
  readonly link: LinkConnection;
  /** Those that wait for an answer, by number: one is over when it is not among them. */
  readonly open: NumberedTable<InferStream>;
  /** Undefined where bodies are sent. */
  readonly loans: BodyLoans | undefined;
}

/** Answers come and go at once: a longer piece is not worth a copy, which is garbage a moment later. */
const copiedBytes = 2 * 1024;

/** One request on a link: takes its body, tells of its answer, and is what whoever waits for that has in hand. */
export class InferStream implements BodySink, Exchange, SlabHolder {
  readonly #link: LinkConnection;
  readonly #open: NumberedTable<InferStream>;
  readonly #loans: BodyLoans | undefined;
  readonly #number: number;
  readonly #body: RequestBody;
  readonly #observer: ReplyObserver;
  /** Under them lie the pieces of the answer. */
  holds: SlabHold[] | undefined;
  #reply: ReplyHead | undefined;
  #receivedBytes = 0;
  /** Of those, since the last grant. */
  #ungranted = 0;
  #isPaused = false;
  #isOver = false;

  constructor({ link, open, loans }: InferWires, number: number, body: RequestBody, observer: ReplyObserver) {
    this.#link = link;
    this.#open = open;
    this.#loans = loans;
    this.#number = number;
    this.#body = body;
    this.#observer = observer;
  }

  send(call: InferCall): void {
    this.#open.set(this.#number, this);
    this.#link.send(
      FrameType.infer,
      this.#number,
      encodeInferHead({
        copy: call.copy.id,
        kind: BodyKind[call.dialect],
        headerLength: call.headerLength,
        timeoutMs: call.timeoutMs,
        bodyBytes: this.#body.totalBytes,
        traceparent: call.traceparent,
        signature: call.signature ?? '',
      }),
    );
    this.#body.attach(this);
  }

  onPiece(piece: Uint8Array, end: boolean): boolean {
    // A loan is told of at once, and would overtake pieces that wait to be sent.
    const loans = this.#link.isSending(this.#number) ? undefined : this.#loans;
    if (loans?.lend(this.#number, piece, end) === true) return true;
    this.#link.sendBody(this.#number, piece, end);
    return !this.#link.isBehind(this.#number);
  }

  get isSpent(): boolean {
    return !this.#link.isSending(this.#number) && this.#link.isFlushed;
  }

  onAborted(): void {
    this.cancel();
  }

  /** What it was handed is sent. */
  onCaughtUp(): void {
    this.#body.resume();
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#forget();
    this.#link.send(FrameType.cancel, this.#number);
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    if (!this.#isOver) this.#grantMore();
  }

  onReply(reply: ReplyHead): void {
    if (this.#reply !== undefined) throw new LinkRuleBroken('a second reply to one request');
    this.#reply = reply;
    this.#observer.onReply(reply);
  }

  onData(piece: Buffer, end: boolean): void {
    if (this.#reply === undefined) throw new LinkRuleBroken('a body before its reply');
    const { bodyBytes } = this.#reply;
    this.#receivedBytes += piece.length;
    this.#ungranted += piece.length;
    if (this.#ungranted > streamWindowBytes) throw new LinkRuleBroken('more of a body than was granted');
    if (end && this.#receivedBytes !== bodyBytes) {
      throw new LinkRuleBroken(`a body of ${this.#receivedBytes} bytes where ${bodyBytes} were announced`);
    }
    if (piece.length > 0) this.#observer.onPiece(this.#link.keep(piece, this, copiedBytes));
    if (this.#isOver) return; // cancelled by who heard of the piece
    if (!end) {
      this.#grantMore();
      return;
    }
    // A backend that answers has had the whole body: nothing of it waits to be written any more.
    if (!this.#link.isSending(this.#number)) this.#body.markSpent();
    this.#end();
    releaseHolds(this, this.#observer.onEnd());
  }

  onError(error: SkeinError, requestId?: string): void {
    if (this.#isOver) return;
    this.#forget();
    this.#observer.onError(error, requestId);
  }

  #forget(): void {
    this.#end();
    // Whoever was told of pieces may still read them.
    releaseHolds(this, false);
  }

  #end(): void {
    this.#isOver = true;
    this.#open.delete(this.#number);
    this.#link.dropBody(this.#number);
    this.#loans?.cancel(this.#number);
    this.#body.detach();
  }

  #grantMore(): void {
    if (this.#isPaused || this.#ungranted < streamWindowBytes / 2) return;
    this.#link.grant(this.#number, this.#ungranted);
    this.#ungranted = 0;
  }
}
