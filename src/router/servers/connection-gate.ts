import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { SkeinError } from '../../protocol/errors.ts';
import { errorBody } from '../../protocol/v2/status.ts';
import type { Front } from './front.ts';

/** Connections beyond the limit that are told so rather than just closed; past those, closing is all that is left. */
const toldAtOnce = 64;

/** How long a connection that was turned away may stay, so that its client can read why. */
const lingerMs = 1_000;

/** Counts connections and turns away those beyond the limit: each is answered 503 and closed. */
export class ConnectionGate {
  readonly #front: Front;
  readonly #open = new Set<Socket>();
  readonly #turnedAway = new Set<Socket>();

  constructor(front: Front) {
    this.#front = front;
  }

  /** `next` reads the connections that were admitted, `other` those that were not. */
  guard(server: Server, next: (socket: Socket) => void, other: (socket: Socket) => void): void {
    server.maxConnections = this.#front.options.maxConnections + toldAtOnce;
    server.on('connection', (socket) => (this.#admit(socket) ? next(socket) : other(socket)));
    server.on('drop', () => this.#front.metrics.refused('connections_full'));
  }

  /** Requests of a connection that was turned away are nobody's: it has its answer. */
  isTurnedAway(socket: Socket): boolean {
    return this.#turnedAway.size > 0 && this.#turnedAway.has(socket);
  }

  /** Ends connections on which nothing was ever said: node takes them for busy ones. */
  closeSilent(): void {
    for (const socket of this.#open) if (socket.bytesRead === 0) socket.destroy();
  }

  #admit(socket: Socket): boolean {
    const { metrics, options } = this.#front;
    if (this.#open.size >= options.maxConnections) {
      this.#turnAway(socket);
      return false;
    }
    this.#open.add(socket);
    metrics.connections++;
    socket.once('close', () => {
      this.#open.delete(socket);
      metrics.connections--;
    });
    return true;
  }

  #turnAway(socket: Socket): void {
    this.#front.metrics.refused('connections_full');
    this.#turnedAway.add(socket);
    const timer = setTimeout(() => socket.destroy(), lingerMs);
    socket.once('close', () => {
      clearTimeout(timer);
      this.#turnedAway.delete(socket);
    });
    const body = errorBody(new SkeinError('connections_full', { connections: this.#open.size }));
    socket.end(
      `HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n` +
        `Retry-After: 1\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}
