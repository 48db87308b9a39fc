import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { constants } from 'node:http2';
import type { InferReply } from '../../../adapters/adapter.ts';
import { pieceOverheadBytes } from '../../../adapters/request-body.ts';
import { SkeinError } from '../../../protocol/errors.ts';
import { findModelSpec, mostBeginningBytes } from '../../../protocol/tfserving/find-spec.ts';
import type { Front } from '../front.ts';
import type { ClientListener, InferClient } from '../infer-client.ts';
import { InferExchange } from '../infer-exchange.ts';
import { heldReplyBytes } from '../reply-relay.ts';
import { readTraceparent, traceparentLength } from '../traceparent.ts';
import { endWhereNotTaken } from './answer-taking.ts';
import { beginMessage, sendError, sendMessage } from './grpc-answer.ts';
import type { InferMethod } from './grpc-method.ts';
import { MessageIntake, type MessageReceiver } from './message-intake.ts';
import { namedVersion } from './tfserving-methods.ts';

/**
 * The client of one inference over gRPC. Its message is read until the model is known, which is at its beginning, and
 * goes on from there as every other body does: unread, at the pace of who takes it.
 */
export class GrpcInferCall implements InferClient, MessageReceiver {
  readonly #front: Front;
  readonly #stream: ServerHttp2Stream;
  readonly #headers: IncomingHttpHeaders;
  readonly #method: InferMethod;
  readonly #timeoutMs: number;
  readonly #intake: MessageIntake;
  /** Undefined where it comes compressed. */
  #messageBytes: number | undefined;
  /** What came before the exchange wanted it. */
  #first: Uint8Array[] = [];
  #firstBytes = 0;
  /** The share of that in what all requests may keep, overhead included. */
  #firstCostBytes = 0;
  #isBodyWanted = false;
  #reply: InferReply | undefined;
  #answer: Uint8Array[] = [];
  #answeredBytes = 0;
  isWhole = false;
  isBehind = false;
  listener!: ClientListener;
  #hasListener = false;

  constructor(
    front: Front,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    call: { readonly method: InferMethod; readonly timeoutMs: number },
  ) {
    this.#front = front;
    this.#stream = stream;
    this.#headers = headers;
    this.#method = call.method;
    this.#timeoutMs = call.timeoutMs;
    const { maxBodyBytes, bodyTimeoutMs } = front.options;
    this.#intake = new MessageIntake(stream, headers['grpc-encoding'] as string | undefined, this, {
      maxMessageBytes: maxBodyBytes,
      timeoutMs: bodyTimeoutMs,
      stalledBodies: front.stalledBodies,
    });
    stream.once('close', () => this.#onClosed());
    // 'close' follows only once what came of the message is read: never, where nobody takes it.
    stream.once('aborted', () => this.#onClosed());
    stream.on('drain', () => this.#onDrain());
  }

  onLength(messageBytes: number): void {
    this.#messageBytes = messageBytes;
  }

  onPiece(piece: Uint8Array): void {
    if (this.#isBodyWanted) {
      this.listener.onBodyPiece(piece);
      return;
    }
    this.#keep(piece);
    if (this.#hasListener) return;
    if (this.#firstBytes - piece.byteLength < mostBeginningBytes) this.#begin(false);
    else this.#refuseIfFull();
  }

  onEnd(): void {
    this.isWhole = true;
    if (!this.#hasListener) this.#begin(true);
    else if (this.#isBodyWanted) this.listener.onBodyEnd();
  }

  onFault(error: SkeinError): void {
    if (this.#hasListener) this.listener.onBodyFault(error);
    else this.#refuseUnread(error);
  }

  #keep(piece: Uint8Array): void {
    const costBytes = piece.byteLength + pieceOverheadBytes;
    this.#first.push(piece);
    this.#firstBytes += piece.byteLength;
    this.#firstCostBytes += costBytes;
    this.#front.retention.usedBytes += costBytes;
  }

  #takeFirst(): readonly Uint8Array[] {
    const first = this.#first;
    this.#first = [];
    this.#front.retention.usedBytes -= this.#firstCostBytes;
    this.#firstCostBytes = 0;
    return first;
  }

  /** Its model is not told at its beginning, so that all of it has to be kept: as other bodies are, but it cannot wait. */
  #refuseIfFull(): void {
    const { usedBytes: heldBytes, limitBytes } = this.#front.retention;
    if (heldBytes > limitBytes) this.#refuseUnread(new SkeinError('model_spec_late', { heldBytes, limitBytes }));
  }

  /** Once the model is known. */
  #begin(isWhole: boolean): void {
    const { dialect, specPlace } = this.#method;
    try {
      const spec = findModelSpec(this.#first, isWhole, specPlace);
      if (spec === undefined) return;
      const version = namedVersion(this.#front.mesh, spec);
      const traceparent = this.#headers['traceparent'];
      const isTraced = typeof traceparent === 'string' && readTraceparent(traceparent) !== undefined;
      this.#hasListener = true;
      const exchange = new InferExchange(this.#front, this, {
        ...{ dialect, model: spec.name, version, coding: undefined, headerLength: undefined },
        expectedBytes: this.#messageBytes,
        maxBodyBytes: this.#front.options.maxBodyBytes,
        bodyTimeoutMs: this.#front.options.bodyTimeoutMs,
        timeoutMs: this.#timeoutMs,
        traceparent: isTraced ? traceparent.slice(0, traceparentLength) : '',
      });
      exchange.start();
    } catch (fault) {
      this.#refuseUnread(SkeinError.from(fault));
    }
  }

  #refuseUnread(error: SkeinError): void {
    this.#front.metrics.refused(error.code);
    this.#intake.stop();
    this.#takeFirst();
    sendError(this.#stream, error, this.#method.dialect);
  }

  startBody(): void {
    this.#isBodyWanted = true;
    for (const piece of this.#takeFirst()) this.listener.onBodyPiece(piece);
    if (this.isWhole) this.listener.onBodyEnd();
  }

  pause(): void {
    this.#intake.pause();
  }

  resume(): void {
    this.#intake.resume();
  }

  stopBody(): void {
    this.#intake.stop();
  }

  beginAnswer(reply: InferReply): void {
    this.#reply = reply;
    this.#answer = [];
    if (reply.bodyBytes <= heldReplyBytes) return;
    beginMessage(this.#stream, reply.bodyBytes);
    endWhereNotTaken(this.#stream, this.#front);
  }

  answerPiece(piece: Uint8Array): void {
    if (!this.#stream.headersSent) {
      this.#answer.push(piece);
      return;
    }
    this.#answeredBytes += piece.byteLength;
    if (this.#stream.write(piece) || this.isBehind) return;
    this.isBehind = true;
    this.listener.onBehind();
  }

  endAnswer(): boolean {
    if (!this.#stream.headersSent) {
      sendMessage(this.#stream, this.#answer);
      endWhereNotTaken(this.#stream, this.#front);
    } else if (this.#answeredBytes === this.#reply!.bodyBytes) this.#stream.end();
    // Fewer or more bytes than the prefix said: the client must not take them for the answer.
    else this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return false;
  }

  refuse(error: SkeinError): void {
    sendError(this.#stream, error, this.#method.dialect);
  }

  abandon(): void {
    this.#answer = [];
  }

  #onDrain(): void {
    if (!this.isBehind) return;
    this.isBehind = false;
    this.listener.onCaughtUp();
  }

  #onClosed(): void {
    this.#intake.stop();
    this.#takeFirst();
    if (this.#hasListener) this.listener.onGone();
  }
}
