/** The network between two members, which can be cut and slowed down: a proxy that each of their connections goes through. */

import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type Socket } from 'node:net';

export type Disturbance =
  /** Nothing arrives, nobody is told; what is under way arrives when it is over, as TCP would send it again. */
  | { readonly kind: 'silent' }
  /** Connections are reset, new ones too. */
  | { readonly kind: 'reset' }
  /** Every piece takes so much longer, either way. */
  | { readonly kind: 'slow'; readonly delayMs: number };

export interface ProxyOptions {
  readonly targetPort: number;
  /** Who connects, told from the first bytes that it sends; left out: everybody is ''. */
  readonly peerOf?: (first: Buffer) => string;
}

export class TcpProxy {
  readonly port: number;
  readonly #server: Server;
  readonly #options: ProxyOptions;
  readonly #disturbed = new Map<string, Disturbance>();
  readonly #connections = new Set<Connection>();

  static async listen(options: ProxyOptions): Promise<TcpProxy> {
    const server = createServer({ noDelay: true });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new TcpProxy(server, options);
  }

  private constructor(server: Server, options: ProxyOptions) {
    this.#server = server;
    this.#options = options;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => this.#accept(socket));
  }

  /** For connections of `peer`, or of everybody where it is left out; undefined: all is well again. */
  disturb(disturbance: Disturbance | undefined, peer = '*'): void {
    if (disturbance === undefined) this.#disturbed.delete(peer);
    else this.#disturbed.set(peer, disturbance);
    for (const connection of this.#connections) connection.disturbed(this.#disturbanceOf(connection.peer));
  }

  close(): void {
    this.#server.close();
    for (const connection of this.#connections) connection.reset();
  }

  #disturbanceOf(peer: string): Disturbance | undefined {
    return this.#disturbed.get('*') ?? this.#disturbed.get(peer);
  }

  #accept(near: Socket): void {
    near.on('error', () => {});
    near.once('data', (first) => {
      near.pause();
      const peer = this.#options.peerOf?.(first) ?? '';
      const far = connect({ port: this.#options.targetPort, host: '127.0.0.1', noDelay: true });
      const connection = new Connection(peer, near, far, () => this.#connections.delete(connection));
      this.#connections.add(connection);
      connection.disturbed(this.#disturbanceOf(peer));
      connection.begin(first);
    });
  }
}

/** One connection of somebody, and the one that stands for it at the other end. */
class Connection {
  readonly peer: string;
  readonly #ways: readonly Way[];
  readonly #onClosed: () => void;

  constructor(peer: string, near: Socket, far: Socket, onClosed: () => void) {
    this.peer = peer;
    this.#ways = [new Way(near, far), new Way(far, near)];
    this.#onClosed = onClosed;
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => this.#closed());
    }
  }

  begin(first: Buffer): void {
    this.#ways[0]!.take(first);
    for (const way of this.#ways) way.flow();
  }

  disturbed(disturbance: Disturbance | undefined): void {
    if (disturbance?.kind === 'reset') this.reset();
    else for (const way of this.#ways) way.disturbed(disturbance);
  }

  reset(): void {
    for (const { from } of this.#ways) from.resetAndDestroy();
  }

  #closed(): void {
    if (this.#ways.every(({ from }) => from.destroyed)) this.#onClosed();
  }
}

/** One direction. Pieces, and the end behind them, arrive in the order in which they were sent. */
class Way {
  readonly from: Socket;
  readonly #to: Socket;
  readonly #queue: { readonly piece: Buffer | undefined; readonly dueMs: number }[] = [];
  #disturbance: Disturbance | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(from: Socket, to: Socket) {
    this.from = from;
    this.#to = to;
  }

  flow(): void {
    this.from.on('data', (piece) => this.take(piece));
    this.from.on('close', () => this.take(undefined));
    this.from.resume();
  }

  disturbed(disturbance: Disturbance | undefined): void {
    this.#disturbance = disturbance;
    this.#pass();
  }

  /** Undefined: the sender has closed the connection, or its process ended. */
  take(piece: Buffer | undefined): void {
    const delayMs = this.#disturbance?.kind === 'slow' ? this.#disturbance.delayMs : 0;
    const earliestMs = this.#queue.at(-1)?.dueMs ?? 0;
    this.#queue.push({ piece, dueMs: Math.max(earliestMs, performance.now() + delayMs) });
    this.#pass();
  }

  #pass(): void {
    clearTimeout(this.#timer);
    if (this.#disturbance?.kind === 'silent') return;
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const waitMs = this.#disturbance === undefined ? 0 : next.dueMs - performance.now();
      if (waitMs > 0) {
        this.#timer = setTimeout(() => this.#pass(), waitMs);
        return;
      }
      this.#queue.shift();
      if (next.piece === undefined) this.#to.destroy();
      else if (!this.#to.destroyed) this.#to.write(next.piece);
    }
  }
}
