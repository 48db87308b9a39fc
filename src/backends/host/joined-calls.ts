import type { SkeinError } from '../../protocol/errors.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { Cancellable, Responder } from './infer-work.ts';

/**
 * A request that is several calls. Its answer is theirs, one behind the other; or the first failure of one, once the others
 * have ended, too.
 */
export class JoinedCalls implements Cancellable {
  readonly #responder: Responder;
  readonly #bodies: (EncodedBody | undefined)[];
  readonly #underWay: Cancellable[] = [];
  #left: number;
  #failure: { readonly error: SkeinError; readonly requestId: string | undefined } | undefined;
  #isDropped = false;

  constructor(count: number, responder: Responder) {
    this.#bodies = Array.from({ length: count });
    this.#left = count;
    this.#responder = responder;
  }

  /** Undefined: it is answered. Where one has failed the others need not go on, whether they began before or after it. */
  add(call: Cancellable | undefined): void {
    if (call === undefined) return;
    this.#underWay.push(call);
    if (this.#failure !== undefined) call.cancel();
  }

  cancel(): void {
    for (const call of this.#underWay) call.cancel();
  }

  /** Where the answer to call `index` goes. */
  responder(index: number): Responder {
    return {
      reply: (body) => {
        this.#bodies[index] = body;
        this.#ended();
      },
      fail: (error, requestId) => {
        const isFirst = this.#failure === undefined;
        this.#failure ??= { error, requestId };
        this.#ended();
        if (isFirst) this.cancel();
      },
      drop: () => {
        this.#isDropped = true;
        this.#ended();
      },
    };
  }

  #ended(): void {
    if (--this.#left > 0) return;
    if (this.#failure !== undefined) this.#responder.fail(this.#failure.error, this.#failure.requestId);
    else if (this.#isDropped) this.#responder.drop();
    else this.#replyAll();
  }

  #replyAll(): void {
    const parts = this.#bodies.flatMap((one) => one!.parts);
    const byteLength = this.#bodies.reduce((sum, one) => sum + one!.byteLength, 0);
    this.#responder.reply({ headerLength: undefined, parts, byteLength });
  }
}
