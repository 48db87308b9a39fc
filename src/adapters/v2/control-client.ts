import type { Dispatcher } from 'undici';
import { SkeinError } from '../../protocol/errors.ts';
import { connectionError } from './connection-fault.ts';
import { type ForeignAnswer, foreignError } from './foreign-error.ts';

/** Largest answer to a question that is no inference: statistics of a few thousand models, say. */
const largestAnswerBytes = 32 * 2 ** 20;

export interface ControlRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** Sent as JSON; undefined sends no body. */
  readonly body?: unknown;
  /** For the whole of it, connecting included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Asks a server the questions that are no inferences: small bodies, gathered whole. */
export class ControlClient {
  readonly #backend: string;
  readonly #dispatcher: Dispatcher;

  constructor(backend: string, dispatcher: Dispatcher) {
    this.#backend = backend;
    this.#dispatcher = dispatcher;
  }

  /** Whatever the server answers; rejects with link_broken where it does not. */
  ask(request: ControlRequest): Promise<ForeignAnswer> {
    return new Promise((resolve, reject) => {
      new ControlExchange(this.#backend, request, resolve, reject).start(this.#dispatcher);
    });
  }

  /** The JSON of a 200; rejects with the server's own words where it is another status. */
  async json(request: ControlRequest): Promise<unknown> {
    const answer = await this.ask(request);
    if (answer.status !== 200) throw foreignError(this.#backend, answer);
    try {
      return JSON.parse(new TextDecoder().decode(answer.body));
    } catch {
      const reason = `the body of ${request.method} ${request.path} is not JSON`;
      throw new SkeinError('reply_malformed', { backend: this.#backend, reason });
    }
  }
}

class ControlExchange implements Dispatcher.DispatchHandler {
  readonly #backend: string;
  readonly #request: ControlRequest;
  readonly #resolve: (answer: ForeignAnswer) => void;
  readonly #reject: (error: SkeinError) => void;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = () => this.#fail(new SkeinError('cancelled'));
  readonly #pieces: Buffer[] = [];
  #bytes = 0;
  #status = 0;
  #isOver = false;
  #controller: Dispatcher.DispatchController | undefined;

  constructor(
    backend: string,
    request: ControlRequest,
    resolve: (answer: ForeignAnswer) => void,
    reject: (error: SkeinError) => void,
  ) {
    this.#backend = backend;
    this.#request = request;
    this.#resolve = resolve;
    this.#reject = reject;
    const { method, path, timeoutMs, signal } = request;
    this.#timer = setTimeout(() => this.#break(`no answer to ${method} ${path} within ${timeoutMs} ms`), timeoutMs);
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (signal?.aborted === true) this.#onAbort();
  }

  start(dispatcher: Dispatcher): void {
    if (this.#isOver) return;
    const { method, path, body } = this.#request;
    const headers = body === undefined ? {} : { 'Content-Type': 'application/json' };
    const text = body === undefined ? null : JSON.stringify(body);
    dispatcher.dispatch({ method, path, headers, body: text, headersTimeout: 0, bodyTimeout: 0 }, this);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#isOver) controller.abort(givenUp);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(_controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#bytes += piece.byteLength;
    if (this.#bytes <= largestAnswerBytes) this.#pieces.push(piece);
    else this.#break(`the answer to ${this.#request.path} is larger than ${largestAnswerBytes} bytes`);
  }

  onResponseEnd(): void {
    if (!this.#end()) return;
    this.#resolve({ status: this.#status, body: Buffer.concat(this.#pieces, this.#bytes) });
  }

  onResponseError(_controller: Dispatcher.DispatchController | undefined, fault: Error): void {
    this.#fail(connectionError(this.#backend, fault, undefined));
  }

  #break(reason: string): void {
    this.#fail(new SkeinError('link_broken', { backend: this.#backend, reason }));
  }

  #fail(error: SkeinError): void {
    if (!this.#end()) return;
    this.#controller?.abort(givenUp);
    this.#reject(error);
  }

  /** False where it had ended. */
  #end(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
    return true;
  }
}

const givenUp = new Error('the question was given up');
