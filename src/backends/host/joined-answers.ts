import type { SkeinError } from '../../protocol/errors.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { Responder } from './infer-work.ts';

/** The answer to a request that is several calls: theirs, one behind the other; or the first failure of one. */
export class JoinedAnswers {
  readonly #responder: Responder;
  readonly #bodies: (EncodedBody | undefined)[];
  readonly #onFailed: () => void;
  #left: number;
  #isOver = false;

  /** `onFailed`: the others need not go on. */
  constructor(count: number, responder: Responder, onFailed: () => void) {
    this.#bodies = Array.from({ length: count });
    this.#left = count;
    this.#responder = responder;
    this.#onFailed = onFailed;
  }

  /** Where the answer to call `index` goes. */
  responder(index: number): Responder {
    return {
      reply: (body) => this.#reply(index, body),
      fail: (error, requestId) => this.#fail(error, requestId),
    };
  }

  #reply(index: number, body: EncodedBody): void {
    this.#bodies[index] = body;
    if (--this.#left > 0 || this.#isOver) return;
    this.#isOver = true;
    const parts = this.#bodies.flatMap((one) => one!.parts);
    const byteLength = this.#bodies.reduce((sum, one) => sum + one!.byteLength, 0);
    this.#responder.reply({ headerLength: undefined, parts, byteLength });
  }

  #fail(error: SkeinError, requestId: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#responder.fail(error, requestId);
    this.#onFailed();
  }
}
