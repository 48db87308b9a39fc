import { connect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { AnswerReader } from './answer-reader.ts';
import { type Endpoint, Lane, type LaneEvents, type WireRequest } from './lane.ts';

/** One read of a large answer is one call into the kernel. */
const readBytes = 64 * 1_024;

/**
 * Raw HTTP/1.1 on a socket: clients that build objects for every answer cost as much as the servers that are measured.
 */
export class HttpLane extends Lane {
  readonly #endpoint: Endpoint;
  readonly #reader = new AnswerReader();
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes);
  #socket: Socket | undefined;

  constructor(endpoint: Endpoint, events: LaneEvents) {
    super(events);
    this.#endpoint = endpoint;
  }

  get status(): number {
    return this.problem === '' ? this.#reader.status : 0;
  }

  get text(): string {
    return this.#reader.text;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = this.#connect();
      socket.once('error', reject);
      socket.once(this.#endpoint.isSecure ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        resolve();
      });
    });
  }

  protected write([head, body]: WireRequest): void {
    this.#reader.reset();
    const socket = this.#socket ?? this.#connect();
    if (body === undefined) socket.write(head);
    else {
      socket.cork();
      socket.write(head);
      socket.write(body);
      socket.uncork();
    }
    // Where the kernel took less than all, the socket says later when it has.
    if (socket.writableLength === 0) this.sentMs = performance.now();
  }

  protected drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #connect(): Socket {
    const { host, port, isSecure } = this.#endpoint;
    const onread = {
      buffer: this.#buffer,
      callback: (length: number) => {
        if (this.#socket === socket) this.#take(this.#buffer.subarray(0, length));
        return true;
      },
    };
    const socket: Socket | TLSSocket = isSecure
      ? tlsConnect({ host, port, servername: host })
      : connect({ host, port, onread });
    socket.setNoDelay(true);
    if (isSecure) socket.on('data', (bytes) => this.#socket === socket && this.#take(bytes));
    socket.on('drain', () => {
      if (this.#socket === socket && this.sentMs === 0) this.sentMs = performance.now();
    });
    socket.on('error', (fault) => this.#socket === socket && this.lose(fault));
    socket.on('close', () => this.#socket === socket && this.#ended());
    this.#socket = socket;
    return socket;
  }

  #take(bytes: Buffer): void {
    if (!this.isBusy) {
      this.drop(); // nobody asked
      return;
    }
    const nowMs = performance.now();
    if (this.firstByteMs === 0) this.firstByteMs = nowMs;
    let isComplete = false;
    try {
      isComplete = this.#reader.push(bytes);
    } catch (fault) {
      this.lose(fault as Error);
    }
    if (isComplete) this.#finish(nowMs);
  }

  #ended(): void {
    if (this.isBusy && this.#reader.end()) this.#finish(performance.now());
    else if (this.isBusy) this.lose(new Error('the connection was closed before the answer was complete'));
    else this.#socket = undefined;
  }

  #finish(nowMs: number): void {
    if (this.#reader.closes || this.#reader.end()) this.drop();
    this.settle(nowMs);
  }
}
