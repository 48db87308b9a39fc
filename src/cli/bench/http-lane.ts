import { connect, type Socket } from 'node:net';
import { type TLSSocket, connect as tlsConnect } from 'node:tls';
import { AnswerReader } from './answer-reader.ts';

/** Where the load goes. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly isSecure: boolean;
}

/** A request as it goes out; two pieces spare a copy where many models share a large body. */
export type WireRequest = readonly [Buffer] | readonly [head: Buffer, body: Buffer];

export interface LaneEvents {
  /** The request is answered, or lost: `status` is 0 and `problem` says why. */
  onSettled(lane: HttpLane): void;
  /** The next one can be sent. After a loss that is a moment later, so that a dead server is not hammered. */
  onFree(lane: HttpLane): void;
}

/** Rest after a loss. */
const restMs = 100;
/** One read of a large answer is one call into the kernel. */
const readBytes = 64 * 1_024;

/**
 * One connection that carries one request at a time, and keeps its figures until the next. Raw HTTP/1.1 on a socket:
 * clients that build objects for every answer cost as much as the servers that are measured.
 */
export class HttpLane {
  /** Of the last request, by performance.now(). */
  dueMs = 0;
  startedMs = 0;
  /** The last byte was given to the kernel. */
  sentMs = 0;
  firstByteMs = 0;
  endedMs = 0;
  problem = '';
  /** What the sender made of it: index of the request's kind. */
  kind = 0;
  isBusy = false;
  readonly #endpoint: Endpoint;
  readonly #events: LaneEvents;
  readonly #reader = new AnswerReader();
  readonly #buffer = Buffer.allocUnsafeSlow(readBytes);
  #socket: Socket | undefined;
  #rest: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(endpoint: Endpoint, events: LaneEvents) {
    this.#endpoint = endpoint;
    this.#events = events;
  }

  get status(): number {
    return this.problem === '' ? this.#reader.status : 0;
  }

  /** The beginning of a refusal's body. */
  get text(): string {
    return this.#reader.text;
  }

  /** Rejects where nobody listens. */
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

  send(request: WireRequest, kind: number, dueMs: number): void {
    this.isBusy = true;
    this.kind = kind;
    this.problem = '';
    this.#reader.reset();
    this.firstByteMs = 0;
    const socket = this.#socket ?? this.#connect();
    this.startedMs = performance.now();
    this.dueMs = dueMs;
    const [head, body] = request;
    if (body === undefined) socket.write(head);
    else {
      socket.cork();
      socket.write(head);
      socket.write(body);
      socket.uncork();
    }
    // Where the kernel took less than all, the socket says later when it has.
    this.sentMs = socket.writableLength === 0 ? performance.now() : 0;
  }

  /** Gives the request that is under way up. */
  abandon(reason: string): void {
    this.#lose(new Error(reason));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#rest);
    this.#socket?.destroy();
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
    socket.on('error', (fault) => this.#socket === socket && this.#lose(fault));
    socket.on('close', () => this.#socket === socket && this.#ended());
    this.#socket = socket;
    return socket;
  }

  #take(bytes: Buffer): void {
    if (!this.isBusy) {
      this.#drop(); // nobody asked
      return;
    }
    const nowMs = performance.now();
    if (this.firstByteMs === 0) this.firstByteMs = nowMs;
    let isComplete = false;
    try {
      isComplete = this.#reader.push(bytes);
    } catch (fault) {
      this.#lose(fault as Error);
    }
    if (isComplete) this.#settle(nowMs);
  }

  #ended(): void {
    if (this.isBusy && this.#reader.end()) this.#settle(performance.now());
    else if (this.isBusy) this.#lose(new Error('the connection was closed before the answer was complete'));
    else this.#socket = undefined;
  }

  #settle(nowMs: number): void {
    this.endedMs = nowMs;
    // An answer that comes before the request is out, as refusals do.
    if (this.sentMs === 0) this.sentMs = this.firstByteMs;
    if (this.#reader.closes || this.#reader.end()) this.#drop();
    this.isBusy = false;
    this.#events.onSettled(this);
    if (!this.#isClosed) this.#events.onFree(this);
  }

  #lose(fault: Error): void {
    this.#drop();
    if (!this.isBusy || this.#isClosed) return;
    this.isBusy = false;
    this.endedMs = performance.now();
    this.problem = fault.message === '' ? String((fault as NodeJS.ErrnoException).code) : fault.message;
    this.#events.onSettled(this);
    this.#rest = setTimeout(() => this.#events.onFree(this), restMs);
  }

  #drop(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }
}
