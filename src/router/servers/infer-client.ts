import type { InferReply } from '../../adapters/adapter.ts';
import type { BodySource } from '../../adapters/request-body.ts';
import type { SkeinError } from '../../protocol/errors.ts';

/**
 * The client's end of one inference, whichever reader its connection has: the body comes from here, and the answer goes
 * here. `pause` and `resume` are about the body.
 */
export interface InferClient extends BodySource {
  /** Every byte of the request has come: what follows on the connection is another one. */
  readonly isWhole: boolean;
  /** The client takes its answer more slowly than it comes. */
  readonly isBehind: boolean;
  /** Whoever is told of the body from `startBody` on, and of the client at any time. */
  listener: ClientListener;
  startBody(): void;
  /** Nobody wants more of the body: what still comes is dropped. */
  stopBody(): void;
  /** A second beginning, before the client has anything, forgets the first: another copy answers. */
  beginAnswer(reply: InferReply): void;
  answerPiece(piece: Uint8Array): void;
  /** The answer is whole. True: it reads the pieces no more. */
  endAnswer(): boolean;
  /** Answers with an error. `mustClose`: the rest of the request cannot be told from the next one. */
  refuse(error: SkeinError, requestId: string | undefined, mustClose: boolean): void;
  /** The client went away: what is kept for it is let go of. */
  abandon(): void;
}

export interface ClientListener {
  onBodyPiece(piece: Uint8Array): void;
  onBodyEnd(): void;
  /** And nothing more of the body. */
  onBodyFault(error: SkeinError): void;
  /** The client is behind with its answer, and has caught up. */
  onBehind(): void;
  onCaughtUp(): void;
  /** It went away, or its connection ended behind the answer. */
  onGone(): void;
}
