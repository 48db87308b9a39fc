import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createGunzip, createInflate, type Gunzip, type Inflate } from 'node:zlib';
import { SkeinError } from '../../protocol/errors.ts';
import type { Coding } from './content-coding.ts';
import type { ClientListener } from './infer-client.ts';
import { type AwaitedBody, bodyStalled, type StalledBodies } from './stalled-bodies.ts';

/** Told of one request's body as it comes: pieces and then its end, or a fault of the client's and nothing more. */
type BodyReceiver = Pick<ClientListener, 'onBodyPiece' | 'onBodyEnd' | 'onBodyFault'>;

export interface IntakeFacts {
  readonly coding: Coding | undefined;
  /** Undefined for a body that comes in chunks or compressed: its end shows. */
  readonly expectedBytes: number | undefined;
  readonly maxBodyBytes: number;
  readonly bodyTimeoutMs: number;
}

/** Takes a body in, decompressed, within its bound: at most one piece more than the limit is ever decompressed. */
export class BodyIntake implements AwaitedBody {
  readonly #request: IncomingMessage;
  readonly #facts: IntakeFacts;
  readonly #stalledBodies: StalledBodies;
  #receiver!: BodyReceiver;
  #source: Readable | undefined;
  #receivedBytes = 0;
  #isOver = false;
  isPaused = false;

  constructor(request: IncomingMessage, facts: IntakeFacts, stalledBodies: StalledBodies) {
    this.#request = request;
    this.#facts = facts;
    this.#stalledBodies = stalledBodies;
  }

  get bytesRead(): number {
    return this.#request.socket.bytesRead;
  }

  start(receiver: BodyReceiver): void {
    this.#receiver = receiver;
    const { coding, expectedBytes } = this.#facts;
    if (expectedBytes === 0) {
      this.#end();
      return;
    }
    const source = coding === undefined ? this.#request : this.#decompress(coding);
    this.#source = source;
    if (expectedBytes === undefined) source.on('end', () => this.#end());
    source.on('data', (piece: Buffer) => this.#take(piece));
    this.#stalledBodies.watch(this);
  }

  pause(): void {
    this.isPaused = true;
    if (!this.#isOver) this.#source?.pause();
  }

  resume(): void {
    this.isPaused = false;
    if (!this.#isOver) this.#source?.resume();
  }

  /** What still comes is dropped. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stalledBodies.forget(this);
    if (this.#source === undefined || this.#source === this.#request) return;
    this.#request.unpipe();
    this.#source.destroy();
  }

  onStalled(): void {
    this.#fail(bodyStalled(this.#facts.expectedBytes, this.#facts.bodyTimeoutMs));
  }

  #take(piece: Buffer): void {
    if (this.#isOver) return;
    this.#receivedBytes += piece.byteLength;
    const { coding, expectedBytes, maxBodyBytes } = this.#facts;
    if (this.#receivedBytes > maxBodyBytes) {
      const how = coding === undefined ? 'is' : 'decompresses to';
      this.#fail(new SkeinError('body_grew_too_large', { how, limitBytes: maxBodyBytes }));
      return;
    }
    this.#receiver.onBodyPiece(piece);
    if (this.#receivedBytes === expectedBytes) this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stalledBodies.forget(this);
    this.#receiver.onBodyEnd();
  }

  #fail(error: SkeinError): void {
    if (this.#isOver) return;
    this.stop();
    this.#receiver.onBodyFault(error);
  }

  #decompress(coding: Coding): Gunzip | Inflate {
    const decompressor = coding === 'gzip' ? createGunzip() : createInflate();
    decompressor.on('error', ({ message }) => {
      this.#fail(new SkeinError('body_corrupt', { encoding: coding, reason: message }));
    });
    return this.#request.pipe(decompressor);
  }
}
