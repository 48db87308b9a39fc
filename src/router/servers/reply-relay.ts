import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import type { InferReply } from '../../adapters/adapter.ts';
import { inferenceHeaderName } from '../../protocol/v2/inference-header.ts';
import type { Coding } from './content-coding.ts';
import type { Front } from './front.ts';
import { compressWhole, createCompressor } from './reply-compressor.ts';

/** Answers up to this size are sent when they are whole: one that fails before its end can still become an error. */
export const heldReplyBytes = 256 * 1024;

/** Told when the client reads more slowly than the answer comes, and when it has caught up. */
interface ReplyFlow {
  pause(): void;
  resume(): void;
}

/** Writes one answer to the client: at once where it is small, else piece by piece at the client's pace. */
export class ReplyRelay {
  readonly #res: ServerResponse;
  readonly #front: Front;
  readonly #coding: Coding | undefined;
  readonly #flow: ReplyFlow;
  #reply: InferReply | undefined;
  #held: Uint8Array[] = [];
  #sink: Writable | undefined;
  #relayedBytes = 0;
  /** The client is behind. */
  isPaused = false;

  constructor(res: ServerResponse, front: Front, coding: Coding | undefined, flow: ReplyFlow) {
    this.#res = res;
    this.#front = front;
    this.#coding = coding;
    this.#flow = flow;
  }

  /** The client has something of the answer: it can only go on or break off. */
  get isStarted(): boolean {
    return this.#sink !== undefined;
  }

  /** A second beginning, before the client has anything, forgets the first: another copy answers. */
  begin(reply: InferReply): void {
    this.#reply = reply;
    this.#held = [];
    if (reply.bodyBytes > heldReplyBytes) this.#sink = this.#openSink(reply);
  }

  piece(piece: Uint8Array): void {
    if (this.#sink === undefined) {
      this.#held.push(piece);
      return;
    }
    this.#relayedBytes += piece.byteLength;
    if (this.#sink.write(piece) || this.isPaused) return;
    this.isPaused = true;
    this.#flow.pause();
  }

  end(): void {
    if (this.#sink === undefined) this.#sendWhole();
    else if (this.#relayedBytes === this.#reply!.bodyBytes) this.#sink.end();
    // Fewer or more bytes than the head said: the client must not take them for the answer.
    else this.#res.destroy();
  }

  /** The client went away. */
  abandon(): void {
    if (this.#sink !== this.#res) this.#sink?.destroy();
    this.#held = [];
  }

  #openSink(reply: InferReply): Writable {
    const coding = this.#coding;
    const headers = coding === undefined ? ['Content-Length', String(reply.bodyBytes)] : codingHeaders(coding);
    this.#writeHead(headers);
    const sink = coding === undefined ? this.#res : createCompressor(coding);
    sink.on('drain', () => {
      this.isPaused = false;
      this.#flow.resume();
    });
    if (sink !== this.#res) sink.pipe(this.#res);
    return sink;
  }

  #sendWhole(): void {
    const held = this.#held;
    this.#held = [];
    if (this.#coding !== undefined) {
      this.#sendCompressed(held, this.#coding);
    } else if (held.length === 1) {
      this.#writeHead(['Content-Length', String(held[0]!.byteLength)]);
      this.#res.end(held[0]);
    } else {
      const body = Buffer.concat(held);
      this.#writeHead(['Content-Length', String(body.byteLength)]);
      this.#res.end(body);
    }
  }

  #sendCompressed(held: readonly Uint8Array[], coding: Coding): void {
    compressWhole(held.length === 1 ? held[0]! : Buffer.concat(held), coding).then(
      (body) => {
        if (this.#res.destroyed) return;
        this.#writeHead(['Content-Length', String(body.byteLength), ...codingHeaders(coding)]);
        this.#res.end(body);
      },
      () => this.#res.destroy(), // zlib has no memory left: what else could be said would need some, too
    );
  }

  #writeHead(lengthAndCoding: readonly string[]): void {
    this.#res.writeHead(200, [...replyHeaders(this.#reply!), ...lengthAndCoding, ...this.#front.fixedHeaders]);
  }
}

/** What the body is, as names and values in turn. */
export function replyHeaders({ headerLength }: Pick<InferReply, 'headerLength'>): string[] {
  return headerLength === undefined
    ? ['Content-Type', 'application/json']
    : ['Content-Type', 'application/octet-stream', inferenceHeaderName, String(headerLength)];
}

function codingHeaders(coding: Coding): string[] {
  return ['Content-Encoding', coding, 'Vary', 'Accept-Encoding'];
}
