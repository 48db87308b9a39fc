import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Exchange, InferReply, ReplyObserver } from '../../adapters/adapter.ts';
import { RequestBody } from '../../adapters/request-body.ts';
import { SkeinError } from '../../protocol/errors.ts';
import { BodyIntake, type BodyReceiver } from './body-intake.ts';
import { chooseCoding } from './content-coding.ts';
import type { Front } from './front.ts';
import type { InferFacts } from './infer-facts.ts';
import { refuse } from './refusal.ts';
import { ReplyRelay } from './reply-relay.ts';
import type { Span } from './tracing.ts';

/**
 * A body up to this size is gathered before the mesh is asked: it then goes to the backend in one piece, and a client
 * that stalls in the midst of it takes no one's time.
 */
const gatheredBytes = 64 * 1024;

const wholeBody = { pause: () => {}, resume: () => {} };

/** One inference between a client and the mesh: its body goes in, its answer comes out, and each may end the other. */
export class InferExchange implements BodyReceiver, ReplyObserver {
  readonly #front: Front;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #facts: InferFacts;
  readonly #intake: BodyIntake;
  readonly #relay: ReplyRelay;
  readonly #span: Span | undefined;
  readonly #startedMs = performance.now();
  readonly #gathered: Uint8Array[] = [];
  #body: RequestBody | undefined;
  #exchange: Exchange | undefined;
  /** Answered, refused, or without a client. */
  #isOver = false;
  /** What follows on the connection may be the body, or the next request: nobody can tell. */
  #isOutOfStep = false;

  constructor(front: Front, req: IncomingMessage, res: ServerResponse, facts: InferFacts) {
    this.#front = front;
    this.#req = req;
    this.#res = res;
    this.#facts = facts;
    this.#intake = new BodyIntake(req, this, facts);
    this.#relay = new ReplyRelay(res, front, chooseCoding(req.headers['accept-encoding']), this);
    this.#span = front.tracer?.start(facts.model, facts.version, facts.traceparent);
    res.once('close', () => this.#onClosed());
  }

  /** `awaitsContinue`: the client sends its body when it is told to, and is told when the mesh takes the request. */
  start(awaitsContinue: boolean): void {
    const { expectedBytes } = this.#facts;
    this.#isOutOfStep = awaitsContinue;
    if (awaitsContinue || expectedBytes === undefined || expectedBytes > gatheredBytes) {
      this.#send(new RequestBody(expectedBytes, this.#front.retention, this.#intake));
      if (this.#isOver) return;
      if (awaitsContinue) this.#res.writeContinue();
      this.#isOutOfStep = false;
    }
    this.#intake.start();
    if (!this.#intake.isOver) this.#front.stalledBodies.watch(this.#intake);
  }

  onBodyPiece(piece: Uint8Array): void {
    if (this.#body === undefined) this.#gathered.push(piece);
    else this.#body.push(piece);
  }

  onBodyEnd(): void {
    this.#front.stalledBodies.forget(this.#intake);
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
    this.#isOutOfStep = !this.#req.complete;
    this.#fail(error);
  }

  onReply(reply: InferReply): void {
    if (!this.#isOver) this.#relay.begin(reply);
  }

  onPiece(piece: Uint8Array): void {
    if (!this.#isOver) this.#relay.piece(piece);
  }

  onEnd(): void {
    if (this.#isOver) return;
    this.#finish(undefined);
    this.#relay.end();
    if (!this.#req.complete) this.#req.resume(); // the answer came before the end of the body: the rest is dropped
  }

  onError(error: SkeinError, requestId?: string): void {
    this.#fail(error, requestId);
  }

  /** The client reads slowly. */
  pause(): void {
    this.#exchange?.pause();
  }

  resume(): void {
    this.#exchange?.resume();
  }

  #send(body: RequestBody): void {
    this.#body = body;
    const { model, version, headerLength, timeoutMs, traceparent } = this.#facts;
    const exchange = this.#front.mesh.infer(
      {
        model,
        version,
        dialect: 'v2',
        body,
        headerLength,
        timeoutMs,
        traceparent: this.#span?.traceparent ?? traceparent,
      },
      this,
    );
    if (this.#isOver) return;
    this.#exchange = exchange;
    if (this.#relay.isPaused) exchange.pause(); // the answer began before there was anybody to tell
  }

  #fail(error: SkeinError, requestId?: string): void {
    if (this.#isOver) return;
    this.#finish(error);
    refuse(this.#req, this.#res, error, {
      requestId,
      fixedHeaders: this.#front.fixedHeaders,
      mustClose: this.#isOutOfStep,
    });
    if (error.kind === 'internal') this.#front.log('inference failed', { model: this.#facts.model, error });
  }

  /** After the answer, or because the client went away before it. */
  #onClosed(): void {
    this.#relay.abandon();
    if (!this.#isOver) this.#finish(new SkeinError('cancelled'));
  }

  /** The one way out: nothing goes to the mesh or comes from it any more. */
  #finish(error: SkeinError | undefined): void {
    this.#isOver = true;
    if (!this.#intake.isOver) {
      this.#front.stalledBodies.forget(this.#intake);
      this.#intake.stop();
    }
    if (error === undefined) this.#body?.release();
    else {
      this.#body?.abort();
      this.#exchange?.cancel();
    }
    this.#exchange = undefined;
    const seconds = (performance.now() - this.#startedMs) / 1_000;
    // Before the mesh was asked nobody knows whether there is such a model.
    this.#front.metrics.inferred(this.#body === undefined ? undefined : this.#facts.model, seconds, error);
    this.#span?.end(error);
  }
}
