import { performance } from 'node:perf_hooks';
import type { Exchange, InferReply, ReplyObserver } from '../../adapters/adapter.ts';
import { RequestBody } from '../../adapters/request-body.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { Front } from './front.ts';
import type { ClientListener, InferClient } from './infer-client.ts';
import type { InferFacts } from './infer-facts.ts';
import type { Span } from './tracing.ts';

/**
 * A body up to this size is gathered before the mesh is asked: it then goes to the backend in one piece, and a client
 * that stalls in the midst of it takes no one's time.
 */
export const gatheredBytes = 64 * 1024;

const wholeBody = { pause: () => {}, resume: () => {} };

/** One inference between a client and the mesh: its body goes in, its answer comes out, and each may end the other. */
export class InferExchange implements ClientListener, ReplyObserver {
  readonly #front: Front;
  readonly #client: InferClient;
  readonly #facts: InferFacts;
  readonly #span: Span | undefined;
  readonly #startedMs = performance.now();
  #gathered: Uint8Array[] = [];
  #body: RequestBody | undefined;
  #exchange: Exchange | undefined;
  /** Answered, refused, or without a client. */
  #isOver = false;
  /** What follows on the connection may be the body, or the next request: nobody can tell. */
  #isOutOfStep = false;

  constructor(front: Front, client: InferClient, facts: InferFacts) {
    this.#front = front;
    this.#client = client;
    this.#facts = facts;
    this.#span = front.tracer?.start(facts.model, facts.version, facts.traceparent);
    client.listener = this;
  }

  /** `tellToSend`: the client sends its body only when it is told to, and is told when the mesh takes the request. */
  start(tellToSend?: () => void): void {
    const { expectedBytes } = this.#facts;
    this.#isOutOfStep = tellToSend !== undefined;
    if (tellToSend !== undefined || expectedBytes === undefined || expectedBytes > gatheredBytes) {
      this.#send(new RequestBody(expectedBytes, this.#front.retention, this.#client));
      if (this.#isOver) return;
      tellToSend?.();
      this.#isOutOfStep = false;
    }
    this.#client.startBody();
  }

  onBodyPiece(piece: Uint8Array): void {
    if (this.#body === undefined) this.#gathered.push(piece);
    else this.#body.push(piece);
  }

  onBodyEnd(): void {
    if (this.#body !== undefined) {
      this.#body.end();
      return;
    }
    const body = new RequestBody(this.#facts.expectedBytes, this.#front.retention, wholeBody);
    for (const piece of this.#gathered) body.push(piece);
    body.end();
    this.#send(body);
  }

  onBodyFault(error: SkeinError): void {
    this.#isOutOfStep = !this.#client.isWhole;
    this.#fail(error);
  }

  onBehind(): void {
    this.#exchange?.pause();
  }

  onCaughtUp(): void {
    this.#exchange?.resume();
  }

  /** After the answer, or because the client went away before it. */
  onGone(): void {
    this.#client.abandon();
    if (this.#isOver) return;
    const error = new SkeinError('cancelled');
    this.#finish(error);
    this.#count(performance.now() - this.#startedMs, error);
  }

  onReply(reply: InferReply): void {
    if (!this.#isOver) this.#client.beginAnswer(reply);
  }

  onPiece(piece: Uint8Array): void {
    if (!this.#isOver) this.#client.answerPiece(piece);
  }

  onEnd(): boolean {
    if (this.#isOver) return false;
    this.#finish(undefined);
    const tookMs = performance.now() - this.#startedMs;
    const isFlushed = this.#client.endAnswer();
    // The client has its answer: nobody waits for the counting.
    this.#count(tookMs, undefined);
    return isFlushed;
  }

  onError(error: SkeinError, requestId?: string): void {
    this.#fail(error, requestId);
  }

  #send(body: RequestBody): void {
    this.#body = body;
    const { dialect, model, version, headerLength, timeoutMs, traceparent } = this.#facts;
    const exchange = this.#front.mesh.infer(
      {
        model,
        version,
        dialect,
        body,
        headerLength,
        timeoutMs,
        traceparent: this.#span?.traceparent ?? traceparent,
      },
      this,
    );
    if (this.#isOver) return;
    this.#exchange = exchange;
    if (this.#client.isBehind) exchange.pause(); // the answer began before there was anybody to tell
  }

  #fail(error: SkeinError, requestId?: string): void {
    if (this.#isOver) return;
    this.#finish(error);
    this.#count(performance.now() - this.#startedMs, error);
    this.#client.refuse(error, requestId, this.#isOutOfStep);
    if (error.kind === 'internal') this.#front.log('inference failed', { model: this.#facts.model, error });
  }

  /** The one way out: nothing goes to the mesh or comes from it any more. */
  #finish(error: SkeinError | undefined): void {
    this.#isOver = true;
    this.#client.stopBody();
    if (error === undefined) this.#body?.release();
    else {
      this.#body?.abort();
      this.#exchange?.cancel();
    }
    this.#exchange = undefined;
  }

  #count(tookMs: number, error: SkeinError | undefined): void {
    // Before the mesh was asked nobody knows whether there is such a model.
    this.#front.metrics.inferred(this.#body === undefined ? undefined : this.#facts.model, tookMs / 1_000, error);
    this.#span?.end(error);
  }
}
