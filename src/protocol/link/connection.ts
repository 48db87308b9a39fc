import { Buffer } from 'node:buffer';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { SlabPool } from '../reads/slab-pool.ts';
import { type SlabHolder, SlabReads } from '../reads/slab-reads.ts';
import { readInto } from '../reads/socket-reads.ts';
import { FrameType, headerBytes, jsonFrame } from './frame.ts';
import { FrameReader, LinkRuleBroken } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import { Handshake, type LinkSelf } from './handshake.ts';
import type { Goodbye, Hello, Proof } from './messages.ts';

/** What each side does with frames once both have said hello. */
export interface LinkHandler {
  onOpen(peer: Hello, version: number): void;
  /** Every control frame but hello, ping, pong, credit and goodbye. */
  onFrame(type: number, stream: number, flags: number, payload: Buffer): void;
  /** `piece` is good for the length of the call; see LinkConnection.keep. */
  onData(stream: number, piece: Buffer, end: boolean): void;
  /** A stream that was behind has sent all it was handed: its source may go on, or its last piece is written. */
  onCaughtUp(stream: number): void;
  /** Called once, whoever ended it. */
  onClose(reason: string): void;
}

const helloTimeoutMs = 5_000;

/** A peer that is closed on takes what was written before at its own pace, but not for longer than this. */
const flushTimeoutMs = 2_000;

/** The same for one that broke the rules or fell silent. */
const briefFlushMs = 200;

/** Bytes that a peer may leave unread: the largest state and the bodies under way come to less. */
const maxUnreadBytes = 64 * 1024 * 1024;

/** A goodbye has to fit its frame, whatever a peer said that it quotes. */
const maxReasonLength = 500;

/** Slabs that all links of a process keep for bodies to come. */
const keptSlabBytes = 16 * 1024 * 1024;
const slabs = new SlabPool(keptSlabBytes);

/** Default of Hello.streamWindowBytes: large enough that a usual image body never waits for a grant. */
export const streamWindowBytes = 1024 * 1024;

/** One end of a link: handshake, frames, flow control, and an end with a reason whatever the peer does. */
export class LinkConnection {
  readonly #socket: Socket;
  readonly #handler: LinkHandler;
  readonly #handshake: Handshake;
  readonly #reader: FrameReader;
  readonly #helloTimer: NodeJS.Timeout;
  readonly #ended = Promise.withResolvers<void>();
  /** Undefined where the socket reads into buffers of its own. */
  readonly #reads: SlabReads | undefined;
  #writer: FrameWriter | undefined;
  #closed = false;
  #goodbye: string | undefined;
  #version = 0;
  #lastHeardMs: number;

  constructor(socket: Socket, self: LinkSelf, handler: LinkHandler) {
    this.#socket = socket;
    this.#handler = handler;
    this.#handshake = new Handshake(self, streamWindowBytes);
    this.#reader = new FrameReader({
      onFrame: (type, stream, flags, payload) => this.#onFrame(type, stream, flags, payload),
      onData: (stream, piece, end) => {
        if (this.#closed) return;
        if (this.#writer === undefined) throw new LinkRuleBroken('a body before hello');
        handler.onData(stream, piece, end);
      },
    });
    this.#lastHeardMs = performance.now();
    socket.setNoDelay?.(true);
    const reads = new SlabReads(slabs, (chunk) => this.#onChunk(chunk));
    if (readInto(socket, reads)) this.#reads = reads;
    else socket.on('data', (chunk) => this.#onChunk(chunk));
    socket.on('error', (fault) => this.close(fault.message));
    socket.on('close', () => {
      this.close('closed by the other side');
      this.#reads?.end();
      this.#ended.resolve();
    });
    this.#helloTimer = setTimeout(() => {
      if (this.#writer === undefined) this.close(`no complete hello within ${helloTimeoutMs} ms`);
    }, helloTimeoutMs).unref();
    if (!this.#handshake.speaksSecond) this.#sayHello();
  }

  get isOpen(): boolean {
    return !this.#closed && this.#writer !== undefined;
  }

  /** performance.now() of the last byte from the peer. */
  get lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  send(type: FrameType, stream: number, payload?: Uint8Array, flags = 0): void {
    this.#control(type, stream, payload, flags);
  }

  sendJson(type: FrameType, stream: number, value: unknown): void {
    this.#control(type, stream, Buffer.from(JSON.stringify(value)), 0);
  }

  /**
   * A piece of a body in `onData` as bytes that last until its holder lets go of them: others are read into the place of
   * those that nobody holds. Up to `copiedBytes` it is copied instead: each hold ties up a slab.
   */
  keep(piece: Buffer, holder: SlabHolder, copiedBytes: number): Buffer {
    const reads = this.#reads;
    if (reads === undefined) return piece;
    const last = holder.holds?.at(-1);
    if (last !== undefined && reads.isUnder(last)) return piece;
    if (piece.length <= copiedBytes) return Buffer.from(piece);
    holder.holds ??= [];
    holder.holds.push(reads.hold());
    return piece;
  }

  sendBody(stream: number, piece: Uint8Array, end: boolean): void {
    if (!this.#closed) this.#writer?.body(stream, piece, end);
  }

  sendWholeBody(stream: number, parts: readonly Uint8Array[], byteLength: number): void {
    if (!this.#closed) this.#writer?.wholeBody(stream, parts, byteLength);
  }

  isBehind(stream: number): boolean {
    return this.#writer?.isBehind(stream) ?? false;
  }

  /** True while a body has begun and its last piece has not been written. */
  isSending(stream: number): boolean {
    return this.#writer?.isSending(stream) ?? false;
  }

  /** Nothing waits in this process to be sent: what was handed over is read no more. */
  get isFlushed(): boolean {
    return this.#socket.writableLength === 0;
  }

  /** Allows the peer to send so many more bytes of this stream's body. */
  grant(stream: number, bytes: number): void {
    const payload = Buffer.allocUnsafe(4);
    payload.writeUInt32LE(bytes, 0);
    this.send(FrameType.credit, stream, payload);
  }

  dropBody(stream: number): void {
    this.#writer?.drop(stream);
  }

  ping(): void {
    this.send(FrameType.ping, 0);
  }

  /** Ends the link at once. A peer that still listens is told why. Safe to call again: the first reason holds. */
  close(reason: string): void {
    this.#close(reason, briefFlushMs);
  }

  /** Ends the link; resolves when the peer has taken what was written before, or did not within a few seconds. */
  async finish(reason: string): Promise<void> {
    this.#close(reason, flushTimeoutMs);
    await this.#ended.promise;
  }

  #close(reason: string, flushMs: number): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#helloTimer);
    this.#writer?.stop();
    const told = this.#goodbye === undefined ? reason : `${this.#goodbye} (said by the other side)`;
    const socket = this.#socket;
    if (!socket.destroyed) {
      if (socket.writable) socket.end(jsonFrame(FrameType.goodbye, 0, { reason: brief(reason) } satisfies Goodbye));
      // A peer that does not read must not keep the socket: what could not be sent at once is not waited for long.
      setTimeout(() => socket.destroy(), flushMs).unref();
    }
    this.#handler.onClose(brief(told));
  }

  #control(type: FrameType, stream: number, payload: Uint8Array | undefined, flags: number): void {
    if (this.#closed || this.#writer === undefined) return;
    this.#writer.control(type, stream, payload, flags);
    // Bodies wait for the socket; answers to what a peer keeps asking while it reads nothing would pile up. Whoever sends
    // is in the midst of something: it is told when that is done.
    if (this.#socket.writableLength > maxUnreadBytes) {
      setImmediate(() => this.close(`more than ${maxUnreadBytes} bytes were left unread`));
    }
  }

  #onChunk(chunk: Buffer): void {
    if (this.#closed) return;
    this.#lastHeardMs = performance.now();
    try {
      this.#reader.push(chunk);
    } catch (fault) {
      // Besides a broken rule: a payload shorter than its fields, JSON that is none or lacks a member. Whatever it was,
      // this peer's bytes cannot be trusted from here on, and no other link may suffer for it.
      this.close(`broke the rules of the link: ${fault instanceof Error ? fault.message : String(fault)}`);
    }
  }

  #onFrame(type: number, stream: number, flags: number, payload: Buffer): void {
    if (this.#closed) return;
    if (this.#writer === undefined) {
      if (type === FrameType.goodbye) this.#onGoodbye(payload);
      else if (type === FrameType.hello) this.#onHello(payload);
      else if (type === FrameType.proof) this.#onProof(payload);
      else throw new LinkRuleBroken(`frame of type ${type} before hello`);
      return;
    }
    switch (type) {
      case FrameType.ping:
        this.send(FrameType.pong, 0);
        return;
      case FrameType.pong:
        return;
      case FrameType.credit:
        this.#writer.credit(stream, payload.readUInt32LE(0));
        return;
      case FrameType.goodbye:
        this.#onGoodbye(payload);
        return;
      case FrameType.hello:
      case FrameType.proof:
        throw new LinkRuleBroken('a second hello');
      default:
        this.#handler.onFrame(type, stream, flags, payload);
    }
  }

  #sayHello(): void {
    this.#socket.write(jsonFrame(FrameType.hello, 0, this.#handshake.hello));
  }

  #onHello(payload: Buffer): void {
    if (this.#handshake.peer !== undefined) throw new LinkRuleBroken('a second hello');
    const outcome = this.#handshake.onHello(parseHello(payload));
    if ('refusal' in outcome) {
      this.close(outcome.refusal);
      return;
    }
    if (this.#handshake.speaksSecond) this.#sayHello();
    this.#version = outcome.version;
    if (outcome.proof === undefined) this.#open();
    else this.#socket.write(jsonFrame(FrameType.proof, 0, outcome.proof));
  }

  #onProof(payload: Buffer): void {
    if (this.#handshake.peer === undefined || !this.#handshake.awaitsProof)
      throw new LinkRuleBroken('a proof before its time');
    const fault = this.#handshake.onProof(JSON.parse(payload.toString()) as Proof);
    if (fault === undefined) this.#open();
    else this.close(fault);
  }

  #open(): void {
    const peer = this.#handshake.peer!;
    this.#writer = new FrameWriter(this.#socket, peer.streamWindowBytes, (stream) => this.#handler.onCaughtUp(stream));
    this.#handler.onOpen(peer, this.#version);
  }

  #onGoodbye(payload: Buffer): void {
    this.#goodbye = brief(String((JSON.parse(payload.toString()) as Goodbye).reason));
    this.close(this.#goodbye);
  }
}

function parseHello(payload: Buffer): Hello {
  const peer = JSON.parse(payload.toString()) as Partial<Hello> | null;
  const [min, max] = Array.isArray(peer?.versions) ? peer.versions : [];
  const window = peer?.streamWindowBytes;
  if (typeof peer?.id !== 'string' || !Number.isInteger(min) || !Number.isInteger(max)) {
    throw new LinkRuleBroken('a hello without id or versions');
  }
  if (peer.role !== 'router' && peer.role !== 'backend') throw new LinkRuleBroken('a hello without a role');
  if (!Number.isInteger(window) || window! < headerBytes) throw new LinkRuleBroken('a hello without a stream window');
  return peer as Hello;
}

function brief(reason: string): string {
  return reason.length > maxReasonLength ? `${reason.slice(0, maxReasonLength)}…` : reason;
}
