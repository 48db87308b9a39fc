import type { IncomingMessage, ServerResponse } from 'node:http';
import type { InferReply } from '../../adapters/adapter.ts';
import type { SkeinError } from '../../protocol/errors.ts';
import { BodyIntake } from './body-intake.ts';
import { chooseCoding } from './content-coding.ts';
import { type ErrorRendering, errorsIn } from './error-rendering.ts';
import type { Front } from './front.ts';
import type { ClientListener, InferClient } from './infer-client.ts';
import type { InferFacts } from './infer-facts.ts';
import { refuse } from './refusal.ts';
import { ReplyRelay } from './reply-relay.ts';

/** The client of an inference that node:http has read: in whatever form it came, and whatever form it wants. */
export class NodeHttpClient implements InferClient {
  readonly #front: Front;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #intake: BodyIntake;
  readonly #relay: ReplyRelay;
  readonly #errors: ErrorRendering;
  listener!: ClientListener;

  constructor(front: Front, req: IncomingMessage, res: ServerResponse, facts: InferFacts) {
    this.#front = front;
    this.#req = req;
    this.#res = res;
    this.#errors = errorsIn(facts.dialect);
    this.#intake = new BodyIntake(req, facts, front.stalledBodies);
    this.#relay = new ReplyRelay(res, front, chooseCoding(req.headers['accept-encoding']), {
      pause: () => this.listener.onBehind(),
      resume: () => this.listener.onCaughtUp(),
    });
    res.once('close', () => this.listener.onGone());
  }

  get isWhole(): boolean {
    return this.#req.complete;
  }

  get isBehind(): boolean {
    return this.#relay.isPaused;
  }

  startBody(): void {
    this.#intake.start(this.listener);
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
    this.#relay.begin(reply);
  }

  answerPiece(piece: Uint8Array): void {
    this.#relay.piece(piece);
  }

  endAnswer(): boolean {
    this.#relay.end();
    if (!this.#req.complete) this.#req.resume(); // the answer came before the end of the body: the rest is dropped
    return false;
  }

  refuse(error: SkeinError, requestId: string | undefined, mustClose: boolean): void {
    const { fixedHeaders } = this.#front;
    refuse(this.#req, this.#res, error, { requestId, fixedHeaders, mustClose, errors: this.#errors });
  }

  abandon(): void {
    this.#relay.abandon();
  }
}
