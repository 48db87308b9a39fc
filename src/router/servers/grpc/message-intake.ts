import type { ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import { SkeinError } from '../../../protocol/errors.ts';
import { type MessagePrefix, prefixBytes, readMessagePrefix } from '../../../protocol/grpc/message-frame.ts';
import { type Coding, readContentEncoding } from '../content-coding.ts';
import { type AwaitedBody, bodyStalled, type StalledBodies } from '../stalled-bodies.ts';

/**
 * Told of the one message of a call: how long it is, unless it is compressed, then its pieces, then its end; or a fault and
 * nothing more.
 */
export interface MessageReceiver {
  onLength(messageBytes: number): void;
  onPiece(piece: Uint8Array): void;
  onEnd(): void;
  onFault(error: SkeinError): void;
}

interface IntakeOptions {
  readonly maxMessageBytes: number;
  readonly timeoutMs: number;
  readonly stalledBodies: StalledBodies;
}

/** Takes the message of a unary call in, within its bound; a compressed one is decompressed as it is taken. */
export class MessageIntake implements AwaitedBody {
  readonly #stream: ServerHttp2Stream;
  readonly #receiver: MessageReceiver;
  readonly #options: IntakeOptions;
  readonly #coding: string | undefined;
  #head: Buffer = Buffer.alloc(0);
  #prefix: MessagePrefix | undefined;
  #left = 0;
  #decompressor: Gunzip | Inflate | undefined;
  #plainBytes = 0;
  #isOver = false;
  bytesRead = 0;
  isPaused = false;

  /** `coding`: the header grpc-encoding. */
  constructor(
    stream: ServerHttp2Stream,
    coding: string | undefined,
    receiver: MessageReceiver,
    options: IntakeOptions,
  ) {
    this.#stream = stream;
    this.#coding = coding;
    this.#receiver = receiver;
    this.#options = options;
    stream.on('data', (piece: Buffer) => this.#take(piece));
    stream.on('end', () => this.#onEnd());
    options.stalledBodies.watch(this);
  }

  pause(): void {
    this.isPaused = true;
    this.#source.pause();
  }

  resume(): void {
    this.isPaused = false;
    this.#source.resume();
  }

  /** Of what the receiver is told. */
  get #source(): Readable {
    return this.#decompressor ?? this.#stream;
  }

  /** What still comes is dropped. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.stalledBodies.forget(this);
    this.#decompressor?.destroy();
    this.#stream.resume();
  }

  onStalled(): void {
    this.#fail(bodyStalled(this.#prefix?.messageBytes, this.#options.timeoutMs));
  }

  #take(piece: Buffer): void {
    this.bytesRead += piece.length;
    if (this.#isOver) return;
    if (this.#prefix === undefined) this.#readPrefix(piece);
    else this.#takePiece(piece);
  }

  #readPrefix(piece: Buffer): void {
    this.#head = this.#head.length === 0 ? piece : Buffer.concat([this.#head, piece]);
    if (this.#head.length < prefixBytes) return;
    const prefix = readMessagePrefix(this.#head);
    const { maxMessageBytes } = this.#options;
    if (prefix === undefined) {
      this.#fail(new SkeinError('grpc_malformed', { reason: 'a message does not begin with its prefix' }));
    } else if (prefix.messageBytes > maxMessageBytes) {
      this.#fail(new SkeinError('body_too_large', { bodyBytes: prefix.messageBytes, limitBytes: maxMessageBytes }));
    } else this.#begin(prefix, this.#head.subarray(prefixBytes));
  }

  #begin(prefix: MessagePrefix, first: Buffer): void {
    this.#prefix = prefix;
    this.#left = prefix.messageBytes;
    this.#head = Buffer.alloc(0);
    if (prefix.isCompressed) this.#openDecompressor();
    else this.#receiver.onLength(prefix.messageBytes);
    if (this.#isOver) return;
    if (first.length > 0) this.#takePiece(first);
    else if (this.#left === 0) this.#complete();
  }

  #takePiece(piece: Buffer): void {
    if (piece.length > this.#left) {
      this.#fail(new SkeinError('grpc_malformed', { reason: 'more than one message in a call that takes one' }));
      return;
    }
    this.#left -= piece.length;
    if (this.#decompressor === undefined) this.#receiver.onPiece(piece);
    else if (!this.#decompressor.write(piece)) this.#stream.pause();
    if (this.#left === 0 && !this.#isOver) this.#complete();
  }

  #complete(): void {
    this.#options.stalledBodies.forget(this);
    if (this.#decompressor === undefined) this.#end();
    else this.#decompressor.end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#receiver.onEnd();
  }

  #openDecompressor(): void {
    let coding: Coding;
    try {
      coding = codingOf(this.#coding);
    } catch (fault) {
      this.#fail(SkeinError.from(fault));
      return;
    }
    const decompressor = coding === 'gzip' ? createGunzip() : createInflate();
    decompressor.on('data', (piece: Buffer) => this.#takePlain(piece));
    decompressor.on('drain', () => this.#stream.resume());
    decompressor.on('end', () => this.#end());
    decompressor.on('error', ({ message }) =>
      this.#fail(new SkeinError('body_corrupt', { encoding: coding, reason: message })),
    );
    this.#decompressor = decompressor;
  }

  #takePlain(piece: Buffer): void {
    if (this.#isOver) return;
    this.#plainBytes += piece.byteLength;
    const { maxMessageBytes: limitBytes } = this.#options;
    if (this.#plainBytes <= limitBytes) this.#receiver.onPiece(piece);
    else this.#fail(new SkeinError('body_grew_too_large', { how: 'decompresses to', limitBytes }));
  }

  #onEnd(): void {
    if (this.#isOver || (this.#left === 0 && this.#prefix !== undefined)) return;
    this.#fail(new SkeinError('grpc_malformed', { reason: 'the call ended before its message' }));
  }

  #fail(error: SkeinError): void {
    if (this.#isOver) return;
    this.stop();
    this.#receiver.onFault(error);
  }
}

function codingOf(name: string | undefined): Coding {
  const coding = readContentEncoding(name);
  if (coding === undefined) {
    throw new SkeinError('grpc_malformed', { reason: 'a compressed message without the header grpc-encoding' });
  }
  return coding;
}
