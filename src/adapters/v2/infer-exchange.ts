import type { Dispatcher } from 'undici';
import { SkeinError } from '../../protocol/errors.ts';
import { inferenceHeaderName } from '../../protocol/v2/inference-header.ts';
import type { Exchange, InferCall, InferReply, ReplyObserver } from '../adapter.ts';
import { AnswerReader } from './answer-reader.ts';
import { BodySource } from './body-source.ts';
import { connectionError } from './connection-fault.ts';
import type { RequestSlots, Slot } from './request-slots.ts';
import type { V2Options } from './v2-options.ts';

/** What an exchange needs of its session. */
export interface ExchangeHost {
  readonly backend: string;
  readonly dispatcher: Dispatcher;
  readonly slots: RequestSlots;
  readonly options: V2Options;
  /** Once, when it is over for whatever reason. `error` where the server or the way to it was at fault. */
  onOver(exchange: InferExchange, error: SkeinError | undefined): void;
  /** The server began to answer. Returns the load that the reply is to carry. */
  onAnswering(exchange: InferExchange): Pick<InferReply, 'inFlight' | 'latencyUs'>;
}

/**
 * One inference on its way to an external server and back.
 *
 * Invariant: after `#isOver` nothing is said to the observer, the body belongs to somebody else, and whatever undici
 * still does ends with the slot given back.
 */
export class InferExchange implements Exchange, Dispatcher.DispatchHandler {
  readonly call: InferCall;
  readonly #path: string;
  readonly #host: ExchangeHost;
  readonly #observer: ReplyObserver;
  readonly #source: BodySource;
  readonly #answer: AnswerReader;
  readonly #deadlineMs: number;
  #timer: NodeJS.Timeout | undefined;
  #slot: Slot | undefined;
  #controller: Dispatcher.DispatchController | undefined;
  #isSent = false;
  #isOver = false;
  #isPaused = false;
  #sentAtMs = 0;

  constructor(call: InferCall, path: string, observer: ReplyObserver, host: ExchangeHost) {
    this.call = call;
    this.#path = path;
    this.#observer = observer;
    this.#host = host;
    this.#deadlineMs = Math.min(call.timeoutMs > 0 ? call.timeoutMs : host.options.longestAnswerMs, longestTimerMs);
    this.#source = new BodySource(call.body, () => this.cancel());
    this.#answer = new AnswerReader(host.backend, host.options, {
      onHead: (head) => this.#onHead(head),
      onPiece: (piece) => {
        if (!this.#isOver) observer.onPiece(piece);
      },
      onEnd: () => {
        if (this.#isOver) return;
        // undici breaks a connection off that is answered in the midst of a write: it reads no piece any more.
        if (this.#source.isTaken) call.body.markSpent();
        this.#finish(undefined);
        observer.onEnd();
      },
      onError: (error) => this.fail(error),
    });
  }

  /** False while it waits in line: nothing of it has left this process. */
  get isSent(): boolean {
    return this.#isSent;
  }

  /** Since it was sent. */
  get elapsedMs(): number {
    return performance.now() - this.#sentAtMs;
  }

  /** Takes the body and sends it, now or when there is room. */
  start(): void {
    this.#timer = setTimeout(() => this.#onDeadline(), this.#deadlineMs);
    this.#source.open();
    if (this.#isOver) return;
    this.#slot = this.#host.slots.enter((slot) => this.#send(slot));
    if (this.#slot === undefined) queueMicrotask(() => this.fail(new SkeinError('queue_full')));
  }

  cancel(): void {
    this.#finish(undefined);
  }

  pause(): void {
    this.#isPaused = true;
    this.#controller?.pause();
  }

  resume(): void {
    this.#isPaused = false;
    // undici cannot read one connection while it hands out the bytes of another, and this may be called from there.
    queueMicrotask(() => {
      if (!this.#isPaused) this.#controller?.resume();
    });
  }

  /** Ends it with an error, which the observer hears unless it is over already. */
  fail(error: SkeinError): void {
    if (this.#isOver) return;
    this.#finish(error);
    this.#observer.onError(error);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(aborted);
    else if (this.#isPaused) controller.pause();
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    if (!this.#isOver && status >= 200) this.#answer.head(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    if (!this.#isOver) this.#answer.piece(piece);
  }

  onResponseEnd(): void {
    this.#slot?.leave();
    if (!this.#isOver) this.#answer.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, fault: Error): void {
    this.#slot?.leave();
    if (!this.#isOver) this.fail(connectionError(this.#host.backend, fault, this.#answer.relayedBytes));
  }

  #send(slot: Slot): void {
    this.#slot = slot;
    this.#isSent = true;
    this.#sentAtMs = performance.now();
    this.#host.dispatcher.dispatch(
      {
        method: 'POST',
        path: this.#path,
        headers: requestHeaders(this.call),
        body: this.#source.takeOutgoing() as Uint8Array, // undici's types leave out the iterables that it documents
        headersTimeout: 0, // the deadline says it, to the millisecond
        bodyTimeout: this.#host.options.answerGapMs,
      },
      this,
    );
  }

  #onHead(head: Pick<InferReply, 'headerLength' | 'bodyBytes'>): void {
    clearTimeout(this.#timer);
    this.#observer.onReply({ ...head, ...this.#host.onAnswering(this) });
  }

  #onDeadline(): void {
    const stage = this.#isSent
      ? `while backend '${this.#host.backend}' had not answered`
      : `while the request waited for a connection to backend '${this.#host.backend}'`;
    this.fail(new SkeinError('deadline_passed', { ms: this.#deadlineMs, stage }));
  }

  #finish(error: SkeinError | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#source.close();
    if (!this.#isSent) this.#slot?.leave();
    else if (!this.#answer.isComplete) this.#controller?.abort(aborted);
    this.#host.onOver(this, error);
  }
}

/** Node's timers hold no more, and fire at once for what is longer. */
const longestTimerMs = 2 ** 31 - 1;

const aborted = new Error('the request was given up');

function requestHeaders({ body, headerLength, traceparent }: InferCall): Record<string, string> {
  return {
    'Content-Type': headerLength === undefined ? 'application/json' : 'application/octet-stream',
    ...(headerLength !== undefined && { [inferenceHeaderName]: String(headerLength) }),
    ...(body.totalBytes !== undefined && { 'Content-Length': String(body.totalBytes) }),
    ...(traceparent !== '' && { traceparent }),
  };
}
