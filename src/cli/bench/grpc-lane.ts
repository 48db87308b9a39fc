import { type ClientHttp2Session, connect, type IncomingHttpHeaders } from 'node:http2';
import { type Endpoint, Lane, type LaneEvents, type WireRequest } from './lane.ts';

const predictPath = '/tensorflow.serving.PredictionService/Predict';
/** Room for answers of some size without a round trip for credit. */
const windowBytes = 1 << 20;

/** Predict calls of TensorFlow Serving's gRPC, one after the other on an HTTP/2 connection of their own. */
export class GrpcLane extends Lane {
  readonly #url: string;
  #session: ClientHttp2Session | undefined;
  /** Of the answer: status and message come behind it, or in place of it. */
  #trailers: IncomingHttpHeaders = {};

  constructor({ host, port, isSecure }: Endpoint, events: LaneEvents) {
    super(events);
    const name = host.includes(':') ? `[${host}]` : host;
    this.#url = `${isSecure ? 'https' : 'http'}://${name}:${port}`;
  }

  get status(): number {
    if (this.problem !== '') return 0;
    return this.#trailers['grpc-status'] === '0' ? 200 : 500;
  }

  get text(): string {
    const message = String(this.#trailers['grpc-message'] ?? '');
    return `gRPC status ${this.#trailers['grpc-status']}: ${unescaped(message)}`;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const session = this.#connect();
      session.once('connect', () => resolve());
      session.once('error', reject);
    });
  }

  protected write([head, body]: WireRequest): void {
    this.#trailers = {};
    const session = this.#session ?? this.#connect();
    const stream = session.request({
      ':method': 'POST',
      ':path': predictPath,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    stream.on('finish', () => {
      this.sentMs = performance.now();
    });
    stream.on('response', (headers) => {
      this.firstByteMs = performance.now();
      if (headers['grpc-status'] !== undefined) this.#trailers = headers;
    });
    stream.on('trailers', (headers) => {
      this.#trailers = headers;
    });
    stream.on('data', () => {});
    stream.on('error', (fault) => this.#session === session && this.lose(fault));
    stream.on('end', () => {
      if (this.#session === session && this.isBusy) this.#finish();
    });
    if (body === undefined) stream.end(head);
    else {
      stream.write(head);
      stream.end(body);
    }
  }

  protected drop(): void {
    const session = this.#session;
    this.#session = undefined;
    session?.destroy();
  }

  #finish(): void {
    if (this.#trailers['grpc-status'] === undefined) this.lose(new Error('the answer has no gRPC status'));
    else this.settle(performance.now());
  }

  #connect(): ClientHttp2Session {
    const session = connect(this.#url, { settings: { initialWindowSize: windowBytes } });
    session.on('error', (fault) => this.#session === session && this.lose(fault));
    session.on('close', () => {
      if (this.#session !== session) return;
      this.#session = undefined;
      if (this.isBusy) this.lose(new Error('the connection was closed before the answer was complete'));
    });
    this.#session = session;
    return session;
  }
}

/** gRPC writes what is no plain ASCII as percent escapes. */
function unescaped(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}
