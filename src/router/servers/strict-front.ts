import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { SlabPool } from '../../protocol/reads/slab-pool.ts';
import type { Front } from './front.ts';
import { KnownHeads } from './known-heads.ts';
import { StrictAnswerHeads } from './strict-answer-heads.ts';
import { StrictConnection, type StrictShared } from './strict-connection.ts';

/** As much as a socket reads at once by itself. */
const scratchBytes = 64 * 1024;

/** Of large bodies, for those that come next. */
const keptSlabBytes = 32 * 1024 * 1024;

/** How late a connection on which nothing moves may be noticed. */
const sweepMs = 500;

type Reader = (this: Server, socket: Socket) => void;

/**
 * Reads infer requests before node:http does, on the connections of its own server: what is not recognised goes there.
 */
export class StrictFront implements StrictShared {
  readonly front: Front;
  readonly knownHeads: KnownHeads;
  readonly heads: StrictAnswerHeads;
  readonly scratch = Buffer.allocUnsafeSlow(scratchBytes);
  readonly slabs = new SlabPool(keptSlabBytes);
  readonly #server: Server;
  readonly #nodeReader: Reader;
  readonly #connections = new Set<StrictConnection>();
  #timer: NodeJS.Timeout | undefined;

  /** Takes the place of node's own reader among the listeners of `server`. */
  constructor(server: Server, front: Front) {
    this.front = front;
    this.knownHeads = new KnownHeads(front.options);
    this.heads = new StrictAnswerHeads(front);
    this.#server = server;
    this.#nodeReader = server.listeners('connection')[0] as Reader;
    server.removeListener('connection', this.#nodeReader);
  }

  take(socket: Socket): void {
    this.#connections.add(new StrictConnection(socket, this));
    this.#timer ??= setInterval(() => this.#sweep(), sweepMs).unref();
  }

  /** For a connection that nothing is read of here. */
  leave(socket: Socket): void {
    this.#nodeReader.call(this.#server, socket);
  }

  handOver(connection: StrictConnection): void {
    this.#connections.delete(connection);
    this.leave(connection.socket);
  }

  onClosed(connection: StrictConnection): void {
    this.#connections.delete(connection);
  }

  closeIdle(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.socket.destroy();
  }

  closeAll(): void {
    for (const { socket } of this.#connections) socket.destroy();
  }

  #sweep(): void {
    if (this.#connections.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const nowMs = performance.now();
    for (const connection of this.#connections) connection.sweep(nowMs);
  }
}
