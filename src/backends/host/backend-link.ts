import type { Socket } from 'node:net';
import { SkeinError } from '../../protocol/errors.ts';
import { LinkConnection, streamWindowBytes } from '../../protocol/link/connection.ts';
import { decodeLoan, FrameType, flagEnd } from '../../protocol/link/frame.ts';
import { LinkRuleBroken } from '../../protocol/link/frame-reader.ts';
import type { LinkSelf } from '../../protocol/link/handshake.ts';
import {
  BodyKind,
  decodeInferHead,
  encodeReplyHead,
  type InferHead,
  maxReplyBytes,
} from '../../protocol/link/infer-head.ts';
import { toLinkError } from '../../protocol/link/link-error.ts';
import type { Call, CallResult, Hello } from '../../protocol/link/messages.ts';
import { NumberedTable } from '../../protocol/link/numbered-table.ts';
import { releaseHolds, type SlabHolder } from '../../protocol/reads/slab-reads.ts';
import type { EncodedBody } from '../../protocol/v2/infer-reply.ts';
import type { BodyFacts } from './body-codec.ts';
import type { HeldCopy } from './held-copy.ts';
import type { Host } from './host.ts';
import type { Cancellable } from './infer-work.ts';
import { aheadBytes } from './json-reader.ts';
import { SharedReads } from './shared-reads.ts';
import { StateFeed } from './state-feed.ts';

/** A request whose body is still coming, or that is being served. */
interface Stream extends SlabHolder {
  readonly head: InferHead;
  /** Until its body is handed over; undefined, too, where the copy took no requests. */
  arrivesFor: HeldCopy | undefined;
  pieces: Uint8Array[];
  bytes: number;
  ungranted: number;
  /** Pieces lie in memory of the router. */
  isLent: boolean;
  /** Its body has come. */
  isWhole: boolean;
  work: Cancellable | undefined;
}

/** A body may wait long for its run: shorter pieces of it would tie up a slab each. */
const copiedBytes = 16 * 1024;

/** Requests one router may have open at once; past it the router breaks the rules. */
const maxStreams = 100_000;

/** `peer`: undefined where the link did not open. */
type OnClosed = (peer: string | undefined, reason: string) => void;

/** What is asked of routers before they are listened to. */
type LinkGuard = Pick<LinkSelf, 'secret' | 'isCertified'>;

/** The backend's end of a link: requests and calls of one router. */
export class BackendLink {
  readonly #host: Host;
  readonly #link: LinkConnection;
  readonly #streams = new NumberedTable<Stream>();
  /** Bytes of answers that wait for their router to take them: they are in memory as the bodies of requests are. */
  readonly #answers = new Map<number, number>();
  readonly #onClosed: OnClosed;
  readonly #reads: SharedReads;
  #peer: string | undefined;
  /** The other end is a backend that was let in to fetch files. */
  #isForFiles = false;
  #feed: StateFeed | undefined;
  #finished: (() => void) | undefined;

  constructor(socket: Socket, host: Host, onClosed: OnClosed, guard: LinkGuard = {}) {
    this.#host = host;
    this.#onClosed = onClosed;
    // A router of another host has no memory here.
    this.#reads = new SharedReads(socket.remoteAddress === undefined, (stream) =>
      this.#link.send(FrameType.returned, stream),
    );
    this.#link = new LinkConnection(
      socket,
      { role: 'backend', id: host.id, software: host.software, ...guard },
      {
        onOpen: (peer) => this.#onOpen(peer),
        onFrame: (type, stream, flags, payload) => this.#onFrame(type, stream, flags, payload),
        onData: (stream, piece, end) => this.#onData(stream, piece, end),
        onCaughtUp: (stream) => this.#forgetAnswer(stream),
        onClose: (reason) => this.#onClose(reason),
      },
    );
  }

  /** performance.now() of the last byte from the router. */
  get lastHeardMs(): number {
    return this.#link.lastHeardMs;
  }

  close(reason: string): void {
    this.#link.close(reason);
  }

  /** Answers what is open, then says goodbye. Resolves when the router has all of it. */
  async finish(): Promise<void> {
    if (!this.#isIdle) {
      await new Promise<void>((resolve) => {
        this.#finished = resolve;
      });
    }
    await this.#link.finish('the backend stops');
  }

  get #isIdle(): boolean {
    return this.#streams.size === 0 && this.#answers.size === 0;
  }

  #onOpen(peer: Hello): void {
    this.#peer = peer.id;
    if (peer.role !== 'router') {
      this.#link.close(`a ${peer.role} has no business with a backend`);
      return;
    }
    if (peer.hasTicket === true) this.#isForFiles = true;
    else this.#feed = new StateFeed(this.#host, (state) => this.#link.sendJson(FrameType.state, 0, state));
  }

  #onFrame(type: number, stream: number, flags: number, payload: Buffer): void {
    if (this.#isForFiles && type !== FrameType.call)
      throw new LinkRuleBroken(`frame of type ${type} by a ticket for files`);
    switch (type) {
      case FrameType.infer:
        if (this.#streams.has(stream)) throw new LinkRuleBroken(`stream ${stream} opened twice`);
        if (this.#streams.size >= maxStreams) throw new LinkRuleBroken(`more than ${maxStreams} requests at once`);
        this.#open(stream, decodeInferHead(payload));
        if ((flags & flagEnd) !== 0) this.#onData(stream, payload.subarray(0, 0), true);
        return;
      case FrameType.loan: {
        const { offset, length } = decodeLoan(payload);
        this.#onPiece(stream, this.#reads.piece(offset, length), (flags & flagEnd) !== 0, true);
        return;
      }
      case FrameType.cancel:
        this.#cancel(stream);
        return;
      case FrameType.call:
        this.#onCall(stream, JSON.parse(payload.toString()) as Call);
        return;
      default:
        throw new LinkRuleBroken(`frame of type ${type} from a router`);
    }
  }

  #open(id: number, head: InferHead): void {
    this.#streams.set(id, {
      head,
      arrivesFor: this.#host.expectRequest(head.copy),
      pieces: [],
      bytes: 0,
      ungranted: 0,
      holds: undefined,
      isLent: false,
      isWhole: false,
      work: undefined,
    });
  }

  #onData(id: number, piece: Buffer, end: boolean): void {
    this.#onPiece(id, piece, end, false);
  }

  #onPiece(id: number, piece: Buffer, end: boolean, isLent: boolean): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return; // cancelled, or refused before its body had come
    if (stream.isWhole) throw new LinkRuleBroken('a body that goes on after its end');
    if (piece.length > 0) {
      if (!this.#host.bodies.take(piece.length)) {
        this.#fail(id, this.#host.bodies.fullError(), undefined);
        return;
      }
      if (isLent) stream.isLent = true;
      else stream.ungranted += piece.length;
      stream.pieces.push(isLent ? piece : this.#link.keep(piece, stream, copiedBytes));
      stream.bytes += piece.length;
    }
    if (end) this.#serve(id, stream);
    else if (stream.ungranted >= streamWindowBytes / 2) {
      this.#link.grant(id, stream.ungranted);
      stream.ungranted = 0;
    }
  }

  #serve(id: number, stream: Stream): void {
    const { head, pieces } = stream;
    stream.isWhole = true;
    stream.pieces = [];
    const isLargeText = head.kind === BodyKind.v2 && head.headerLength === undefined && stream.bytes >= aheadBytes;
    if (isLargeText) void this.#serveAhead(id, stream, pieces);
    else this.#run(id, stream, pieces, head, head.timeoutMs);
  }

  /** The event loop goes on with other requests while the numbers of this one are read. */
  async #serveAhead(id: number, stream: Stream, pieces: readonly Uint8Array[]): Promise<void> {
    const { head } = stream;
    const startMs = performance.now();
    const ahead = await this.#host.jsonReader.read(pieces);
    if (this.#streams.get(id) !== stream) return; // cancelled meanwhile
    const waitedMs = Math.floor(performance.now() - startMs);
    const timeoutMs = head.timeoutMs === 0 ? 0 : Math.max(1, head.timeoutMs - waitedMs);
    if (ahead === undefined) this.#run(id, stream, pieces, head, timeoutMs);
    else this.#run(id, stream, [ahead.text], { ...head, ahead: ahead.arrays }, timeoutMs);
  }

  #run(id: number, stream: Stream, pieces: readonly Uint8Array[], facts: BodyFacts, timeoutMs: number): void {
    const copy = endArrival(stream)?.serving;
    if (copy === undefined) {
      this.#fail(id, new SkeinError('copy_gone', { model: `number ${stream.head.copy}` }), undefined);
      return;
    }
    stream.work = copy.infer(pieces, facts, timeoutMs, {
      reply: (body) => this.#reply(id, body, copy.inFlight, copy.latencyUs),
      fail: (error, requestId) => this.#fail(id, error, requestId),
      drop: () => this.#reads.done(id),
    });
  }

  #reply(id: number, body: EncodedBody, inFlight: number, latencyUs: number): void {
    const { parts, byteLength, headerLength } = body;
    if (byteLength > maxReplyBytes) {
      this.#fail(id, new SkeinError('answer_too_large', { bytes: byteLength, limitBytes: maxReplyBytes }), undefined);
      return;
    }
    if (!this.#forget(id, true)) return;
    const head = encodeReplyHead({ headerLength, bodyBytes: byteLength, inFlight, latencyUs });
    this.#link.send(FrameType.reply, id, head, byteLength === 0 ? flagEnd : 0);
    if (byteLength > 0) {
      this.#link.sendWholeBody(id, parts, byteLength);
      if (this.#link.isSending(id)) {
        this.#answers.set(id, byteLength);
        this.#host.bodies.hold(byteLength);
      }
    }
    this.#tellIfIdle();
  }

  #fail(id: number, error: SkeinError, requestId: string | undefined): void {
    if (!this.#forget(id, true)) return;
    this.#link.sendJson(FrameType.error, id, toLinkError(error, requestId));
    this.#tellIfIdle();
  }

  /** False where the router has cancelled it: nothing may be said of it any more. `isSpent`: nor does a run read it. */
  #forget(id: number, isSpent: boolean): boolean {
    const stream = this.#streams.get(id);
    if (stream === undefined) {
      this.#reads.done(id);
      return false;
    }
    this.#streams.delete(id);
    endArrival(stream);
    this.#host.bodies.giveBack(stream.bytes);
    // A run that goes on after its request was cancelled still reads the body.
    releaseHolds(stream, isSpent);
    return true;
  }

  /** Its last piece is written, or nobody wants it any more. */
  #forgetAnswer(id: number): void {
    if (this.#link.isSending(id)) return;
    this.#host.bodies.giveBack(this.#answers.get(id) ?? 0);
    this.#answers.delete(id);
    this.#tellIfIdle();
  }

  #tellIfIdle(): void {
    if (this.#isIdle) this.#finished?.();
  }

  #cancel(id: number): void {
    const stream = this.#streams.get(id);
    // The answer may be on its way already, and wait for credit that will not come.
    this.#link.dropBody(id);
    this.#forgetAnswer(id);
    if (stream === undefined) return;
    this.#giveUp(id, stream);
    this.#tellIfIdle();
  }

  /** Nobody wants its answer: a run that is under way ends, and reads its body until then. */
  #giveUp(id: number, stream: Stream): void {
    const { work } = stream;
    this.#forget(id, work === undefined);
    if (stream.isLent) this.#reads.giveUp(id, work !== undefined);
    work?.cancel();
  }

  #onCall(id: number, call: Call): void {
    if (this.#isForFiles && call.verb !== 'file')
      throw new LinkRuleBroken(`a call to ${call.verb} by a ticket for files`);
    void this.#answerCall(id, call);
  }

  async #answerCall(id: number, call: Call): Promise<void> {
    let result: CallResult;
    try {
      result = { ok: call.verb === 'share' ? this.#reads.open(call) : await this.#host.answer(call, this) };
    } catch (fault) {
      result = { error: toLinkError(SkeinError.from(fault), undefined) };
    }
    this.#link.sendJson(FrameType.result, id, result);
  }

  #onClose(reason: string): void {
    this.#feed?.stop();
    this.#host.forgetRouter(this);
    for (const [id, stream] of this.#streams.entries()) this.#giveUp(id, stream);
    this.#reads.close();
    for (const id of [...this.#answers.keys()]) this.#forgetAnswer(id);
    this.#tellIfIdle();
    this.#onClosed(this.#peer, reason);
  }
}

/** Returns the copy, where it still takes what it was told to expect. */
function endArrival(stream: Stream): HeldCopy | undefined {
  const { arrivesFor: held } = stream;
  if (held === undefined) return undefined;
  stream.arrivesFor = undefined;
  held.arriving.end();
  return held.takesExpected ? held : undefined;
}
