import type { Socket } from 'node:net';
import { LinkConnection, type LinkHandler } from '../../../src/protocol/link/connection.ts';
import type { LinkSelf } from '../../../src/protocol/link/handshake.ts';
import type { Hello } from '../../../src/protocol/link/messages.ts';

/** One end of a link that remembers what it is told, and grants what it gets. */
export class RecordedLink implements LinkHandler {
  readonly link: LinkConnection;
  readonly frames: { readonly type: number; readonly stream: number; readonly payload: string }[] = [];
  readonly bodies = new Map<number, { readonly pieces: Buffer[]; ended: boolean }>();
  readonly reasons: string[] = [];
  readonly caughtUp: number[] = [];
  readonly #closed = Promise.withResolvers<string>();
  readonly #opened = Promise.withResolvers<Hello>();
  peer: Hello | undefined;
  /** Answers a frame, where a test wants that. */
  answer: (type: number, stream: number) => void = () => {};
  grants = true;

  constructor(
    socket: Socket,
    role: Hello['role'],
    id: string = role,
    guard: Pick<LinkSelf, 'isCertified' | 'hasTicket'> = {},
  ) {
    this.link = new LinkConnection(socket, { role, id, software: 'test', ...guard }, this);
  }

  get opened(): Promise<Hello> {
    return this.#opened.promise;
  }

  /** The reason it ended for. */
  get closed(): Promise<string> {
    return this.#closed.promise;
  }

  bodyOf(stream: number): Buffer {
    return Buffer.concat(this.bodies.get(stream)?.pieces ?? []);
  }

  onOpen(peer: Hello): void {
    this.peer = peer;
    this.#opened.resolve(peer);
  }

  onFrame(type: number, stream: number, _flags: number, payload: Buffer): void {
    this.#mustBeOpen();
    this.frames.push({ type, stream, payload: payload.toString() });
    this.answer(type, stream);
  }

  onData(stream: number, piece: Buffer, end: boolean): void {
    this.#mustBeOpen();
    const body = this.bodies.get(stream) ?? { pieces: [], ended: false };
    if (body.ended) throw new Error('a body that goes on after its end');
    this.bodies.set(stream, body);
    body.pieces.push(Buffer.from(piece));
    body.ended = end;
    if (this.grants && !end) this.link.grant(stream, piece.length);
  }

  onCaughtUp(stream: number): void {
    this.#mustBeOpen();
    this.caughtUp.push(stream);
  }

  onClose(reason: string): void {
    this.reasons.push(reason);
    this.#closed.resolve(reason);
  }

  #mustBeOpen(): void {
    if (this.reasons.length > 0) throw new Error('told of something after it was closed');
  }
}
