import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { InferReply } from '../../adapters/adapter.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { SlabPool } from '../../protocol/reads/slab-pool.ts';
import { forgetTarget, type ReadTarget, readInto } from '../../protocol/reads/socket-reads.ts';
import { errorBody, httpStatus } from '../../protocol/v2/status.ts';
import { BodySlabs } from './body-slabs.ts';
import type { Front } from './front.ts';
import { HeldBytes } from './held-bytes.ts';
import { bodyEndedEarly, endWithFault } from './http-faults.ts';
import { usualAnswerTimeoutMs, wholeRequestLimitMs } from './idle-connections.ts';
import type { ClientListener, InferClient } from './infer-client.ts';
import { gatheredBytes, InferExchange } from './infer-exchange.ts';
import type { KnownHeads } from './known-heads.ts';
import { droppedRestBytes, lingerMs, refusalHeaders } from './refusal.ts';
import { type AwaitedBody, bodyStalled } from './stalled-bodies.ts';
import { StrictAnswer } from './strict-answer.ts';
import type { StrictAnswerHeads } from './strict-answer-heads.ts';
import type { StrictHead } from './strict-head.ts';

/** What all strictly read connections of a server share. */
export interface StrictShared {
  readonly front: Front;
  readonly knownHeads: KnownHeads;
  readonly heads: StrictAnswerHeads;
  /** What is read goes here, unless it is known to belong to a large body: it is used or copied at once. */
  readonly scratch: Buffer;
  readonly slabs: SlabPool;
  /** From here on node:http reads the connection: what was read and not used is back in its socket. */
  handOver(connection: StrictConnection): void;
  onClosed(connection: StrictConnection): void;
}

/** node's own margin on top of the keep-alive time-out that its answers announce. */
const keepAliveMarginMs = 1_000;

/**
 * A connection of which infer requests are read without node:http, one after the other: what comes before the answer to
 * the one before is held. The first bytes that are not recognised, and all after them, go to node:http.
 *
 * Invariant: `#exchange` is the request that has no answer yet; `#bodyLeft` are the bytes of the last request's body that
 * have not come, whether or not somebody wants them.
 */
export class StrictConnection implements InferClient, AwaitedBody, ReadTarget {
  readonly socket: Socket;
  readonly #shared: StrictShared;
  readonly #answer: StrictAnswer;
  readonly #held = new HeldBytes();
  readonly #slabs: BodySlabs;
  /** The head before: on most connections the next one is the same, and is not read again. */
  #head: StrictHead | undefined;
  /** What came with the head, until the exchange wants the body. */
  #first: Buffer | undefined;
  #exchange: InferExchange | undefined;
  #bodyLeft = 0;
  #lingering: NodeJS.Timeout | undefined;
  #isWatched = false;
  /** Set by the exchange. */
  listener!: ClientListener;
  isPaused = false;
  isBehind = false;
  /** What the sweep saw last, and since when it is the same. */
  #seenBytes = -1;
  #quietSinceMs = 0;
  /** When the body that is coming began to. */
  #bodySinceMs = 0;
  /** What is being read lies where the next bytes of anybody are read to. */
  #isScratch = false;
  /** Gives up the place of a body that is over and still coming: node has it as that of the next bytes. */
  #leavePlace: (() => void) | undefined;

  readonly #onData = (chunk: Buffer) => this.#read(chunk);
  readonly #onEnd = () => this.#endEarly();
  readonly #onDrain = () => this.#catchUp();
  readonly #onTimeout = () => this.#giveUpAnswer();
  readonly #onClose = () => this.#close();

  constructor(socket: Socket, shared: StrictShared) {
    this.socket = socket;
    this.#shared = shared;
    this.#answer = new StrictAnswer(socket, shared.heads);
    this.#slabs = new BodySlabs(shared.slabs, shared.front.sharedBodies);
    if (!readInto(socket, this)) socket.on('data', this.#onData);
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    socket.on('timeout', this.#onTimeout);
    socket.on('close', this.#onClose);
    socket.on('error', ignoreError);
  }

  get isWhole(): boolean {
    return this.#bodyLeft === 0;
  }

  get bytesRead(): number {
    return this.socket.bytesRead;
  }

  /** Between two requests, or before the first. */
  get isIdle(): boolean {
    return this.#exchange === undefined && this.#bodyLeft === 0 && this.#held.isEmpty && !this.isBehind;
  }

  /** Looks whether anything moved; closes what was quiet for too long. Called now and then. */
  sweep(nowMs: number): void {
    const { bytesRead } = this.socket;
    if (this.#isComing && nowMs - this.#bodySinceMs >= wholeRequestLimitMs(this.#shared.front.options)) {
      this.#endWith(new SkeinError('http_too_slow', { seconds: this.#shared.front.options.headersTimeoutMs / 1_000 }));
      return;
    }
    // While a request is served its own time-outs hold, and while its answer is written that of the socket.
    if (bytesRead !== this.#seenBytes || this.#exchange !== undefined || this.isBehind) {
      this.#seenBytes = bytesRead;
      this.#quietSinceMs = nowMs;
    } else if (nowMs - this.#quietSinceMs >= this.#longestQuietMs(bytesRead)) this.socket.destroy();
  }

  #longestQuietMs(bytesRead: number): number {
    const { headersTimeoutMs, keepAliveTimeoutMs, answerTimeoutMs } = this.#shared.front.options;
    if (bytesRead === 0) return headersTimeoutMs;
    return this.#bodyLeft > 0 ? (answerTimeoutMs ?? usualAnswerTimeoutMs) : keepAliveTimeoutMs + keepAliveMarginMs;
  }

  nextBuffer(): Buffer {
    const isOfBody = this.#isLarge && this.#bodyLeft > 0 && this.#exchange !== undefined;
    return isOfBody ? this.#slabs.room(this.#bodyLeft) : this.#shared.scratch;
  }

  onRead(buffer: Buffer, bytes: number): void {
    this.#isScratch = buffer === this.#shared.scratch;
    if (!this.#isScratch) this.#slabs.fill(bytes);
    this.#read(buffer.subarray(0, bytes));
    this.#isScratch = false;
  }

  /** The body is handed on as it comes: for what is gathered first a slab would be too much. */
  get #isLarge(): boolean {
    return this.#head !== undefined && this.#head.facts.expectedBytes > gatheredBytes;
  }

  #read(chunk: Buffer): void {
    const rest = this.#bodyLeft > 0 ? this.#readBody(chunk) : chunk;
    if (rest === undefined) return;
    if (this.#isBusy) this.#hold(rest);
    else this.#readRequest(rest);
  }

  get #isBusy(): boolean {
    return this.#exchange !== undefined || this.isBehind || this.#lingering !== undefined || !this.#held.isEmpty;
  }

  #hold(rest: Buffer): void {
    if (this.#lingering !== undefined) return; // nobody will read it
    this.#held.add(this.#isScratch ? Buffer.from(rest) : rest);
    if (this.#held.isFull) this.socket.pause();
  }

  #readRequest(chunk: Buffer): void {
    const head = this.#recognise(chunk);
    if (head === undefined) {
      this.#handOver(chunk);
      return;
    }
    this.#bodyLeft = head.facts.expectedBytes;
    this.#first = chunk.subarray(head.bytes.length);
    if (this.#isLarge) this.#slabs.begin(this.#bodyLeft, head.facts.headerLength ?? 0);
    const exchange = new InferExchange(this.#shared.front, this, head.facts);
    this.#exchange = exchange;
    exchange.start();
    // Refused before anybody wanted its body.
    if (this.#first !== undefined) this.#readFirst();
  }

  #recognise(chunk: Buffer): StrictHead | undefined {
    const known = this.#head;
    if (known !== undefined) {
      const { length } = known.bytes;
      if (chunk.length >= length && chunk.compare(known.bytes, 0, length, 0, length) === 0) return known;
    }
    const head = this.#shared.knownHeads.read(chunk);
    if (head !== undefined) this.#head = head;
    return head;
  }

  #handOver(chunk: Buffer): void {
    const { socket } = this;
    forgetTarget(socket);
    socket.off('data', this.#onData);
    socket.off('end', this.#onEnd);
    socket.off('drain', this.#onDrain);
    socket.off('timeout', this.#onTimeout);
    socket.off('close', this.#onClose);
    socket.off('error', ignoreError);
    socket.unshift(this.#isScratch ? Buffer.from(chunk) : chunk);
    this.#shared.handOver(this);
  }

  startBody(): void {
    this.#readFirst();
    if (this.#bodyLeft === 0 || this.#exchange === undefined) return;
    this.#isWatched = true;
    this.#bodySinceMs = performance.now();
    this.#shared.front.stalledBodies.watch(this);
  }

  #readFirst(): void {
    const first = this.#first!;
    this.#first = undefined;
    if (this.#bodyLeft === 0) this.#bodyEnded();
    const rest = first.length === 0 ? undefined : this.#bodyLeft > 0 ? this.#readBody(first) : first;
    if (rest !== undefined) this.#read(rest);
  }

  /** Answers what came behind the body. */
  #readBody(chunk: Buffer): Buffer | undefined {
    const taken = Math.min(chunk.length, this.#bodyLeft);
    this.#bodyLeft -= taken;
    const exchange = this.#exchange;
    if (exchange !== undefined)
      exchange.onBodyPiece(this.#kept(taken === chunk.length ? chunk : chunk.subarray(0, taken)));
    else this.#leavePlace?.();
    if (this.#bodyLeft === 0) this.#bodyEnded();
    return taken < chunk.length ? chunk.subarray(taken) : undefined;
  }

  #kept(piece: Buffer): Buffer {
    if (!this.#isScratch) return piece;
    return this.#isLarge ? this.#slabs.keep(piece) : Buffer.from(piece);
  }

  #bodyEnded(): void {
    this.#forgetStall();
    if (this.#lingering !== undefined) this.#endLingering();
    else this.#exchange?.onBodyEnd();
  }

  pause(): void {
    this.isPaused = true;
    this.socket.pause();
  }

  resume(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    this.socket.resume();
  }

  onReleased(isSpent: boolean, sinks: number): void {
    this.#leavePlace = () => {
      this.#leavePlace = undefined;
      this.#slabs.release(isSpent, sinks);
    };
    if (this.#bodyLeft === 0 || this.socket.destroyed) this.#leavePlace();
  }

  onForgotten(): void {
    this.#slabs.forgetFull();
  }

  stopBody(): void {
    this.#forgetStall();
    this.resume();
  }

  #forgetStall(): void {
    if (!this.#isWatched) return;
    this.#isWatched = false;
    this.#shared.front.stalledBodies.forget(this);
  }

  onStalled(): void {
    const { front } = this.#shared;
    this.#isWatched = false;
    this.#exchange?.onBodyFault(bodyStalled(this.#head!.facts.expectedBytes, front.options.bodyTimeoutMs));
  }

  beginAnswer(reply: InferReply): void {
    this.#answer.begin(reply);
  }

  answerPiece(piece: Uint8Array): void {
    if (this.#answer.piece(piece) || this.isBehind) return;
    this.#fallBehind();
    this.listener.onBehind();
  }

  endAnswer(): boolean {
    this.#exchange = undefined;
    if (!this.#answer.end()) {
      this.socket.destroy();
      return false;
    }
    const isFlushed = this.socket.writableLength === 0;
    this.#answered(this.#shared.heads.isLast);
    return isFlushed;
  }

  refuse(error: SkeinError, requestId: string | undefined, mustClose: boolean): void {
    const { socket } = this;
    this.#exchange = undefined;
    if (this.#answer.isStarted || socket.destroyed) {
      socket.destroy();
      return;
    }
    this.#answer.forget();
    const { front, heads } = this.#shared;
    const body = Buffer.from(errorBody(error, requestId));
    const lingers = mustClose || (this.#bodyLeft > 0 && this.#head!.facts.expectedBytes > droppedRestBytes);
    const headers = refusalHeaders(error, body.byteLength, front.fixedHeaders, lingers);
    socket.write(Buffer.concat([Buffer.from(heads.status(httpStatus(error.kind), headers), 'latin1'), body]));
    if (!lingers) this.#answered(heads.isLast);
    else if (this.#bodyLeft === 0) socket.destroySoon();
    else this.#lingering = setTimeout(() => this.#endLingering(), lingerMs);
  }

  #endLingering(): void {
    clearTimeout(this.#lingering);
    this.socket.destroySoon();
  }

  abandon(): void {
    this.#answer.forget();
  }

  /** The answer is written, at least as far as this process is concerned. */
  #answered(isLast: boolean): void {
    if (isLast) {
      this.socket.destroySoon();
      return;
    }
    if (this.socket.writableNeedDrain && !this.isBehind) this.#fallBehind();
    if (!this.#held.isEmpty) queueMicrotask(() => this.#readHeld());
  }

  #readHeld(): void {
    if (this.#exchange !== undefined || this.isBehind || this.#held.isEmpty || this.socket.destroyed) return;
    const chunk = this.#held.take();
    this.socket.resume();
    this.#read(chunk);
  }

  /** Until it has caught up, a client that takes nothing more is given only so much time. */
  #fallBehind(): void {
    this.isBehind = true;
    this.socket.setTimeout(this.#shared.front.options.answerTimeoutMs ?? usualAnswerTimeoutMs);
  }

  #catchUp(): void {
    if (!this.isBehind) return;
    this.isBehind = false;
    this.socket.setTimeout(0);
    if (this.#exchange === undefined) this.#readHeld();
    else this.listener.onCaughtUp();
  }

  #giveUpAnswer(): void {
    this.#shared.front.metrics.refused('answer_not_taken');
    this.socket.destroy();
  }

  /** The client sends no more. It is told so where it owes something; with an answer under way it is as good as gone. */
  #endEarly(): void {
    if (!this.#isComing || this.#answer.isStarted) this.socket.end();
    else this.#endWith(new SkeinError('http_malformed', { reason: bodyEndedEarly }));
  }

  /** A body is on its way that somebody waits for. */
  get #isComing(): boolean {
    return this.#bodyLeft > 0 && this.#exchange !== undefined;
  }

  #endWith(error: SkeinError): void {
    if (this.socket.writableEnded) return; // its last answer is on its way, and the client sends on or leaves
    this.#shared.front.metrics.refused(error.code);
    if (this.#answer.isStarted) this.socket.destroy();
    else endWithFault(this.socket, error);
  }

  #close(): void {
    clearTimeout(this.#lingering);
    this.#forgetStall();
    this.#shared.onClosed(this);
    const exchange = this.#exchange;
    this.#exchange = undefined;
    exchange?.onGone();
    this.#leavePlace?.();
  }
}

/** What follows is 'close'. */
function ignoreError(): void {}
