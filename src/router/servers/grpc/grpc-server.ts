import { once } from 'node:events';
import {
  constants,
  createServer,
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { SkeinError } from '../../../protocol/errors.ts';
import { readGrpcTimeout } from '../../../protocol/grpc/timeout.ts';
import type { Mesh } from '../../mesh/mesh-port.ts';
import { Front, type ServerTools } from '../front.ts';
import { type ListenAt, listenAt, portOf, type RouterServer } from '../router-server.ts';
import type { ServerOptions } from '../server-options.ts';
import { sendError } from './grpc-answer.ts';
import { GrpcInferCall } from './grpc-infer-call.ts';
import type { GrpcMethods } from './grpc-method.ts';
import { serveUnary } from './grpc-unary-call.ts';

/** Calls at once on one connection; a client that wants more waits or opens another. */
const maxConcurrentCalls = 1_000;

/** How much of one message, and of all messages of a connection, may be on its way unread. */
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 16 * 1024 * 1024;

/** Memory that node may use for one connection, in its unit: MB. Past it new calls on the connection are refused. */
const maxSessionMemory = 256;

/** The gRPC endpoint of one router process, over HTTP/2 without TLS. */
export function createGrpcServer(
  mesh: Mesh,
  options: ServerOptions,
  tools: ServerTools,
  methods: GrpcMethods,
): RouterServer {
  return new GrpcServer(new Front(mesh, options, tools), methods);
}

class GrpcServer implements RouterServer {
  readonly #front: Front;
  readonly #methods: GrpcMethods;
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(front: Front, methods: GrpcMethods) {
    this.#front = front;
    this.#methods = methods;
    this.#server = createServer({
      maxSessionMemory,
      settings: {
        maxConcurrentStreams: maxConcurrentCalls,
        initialWindowSize: streamWindowBytes,
        maxHeaderListSize: front.options.maxHeaderBytes,
        enablePush: false,
      },
    });
    this.#server.on('session', (session) => this.#admit(session));
    this.#server.on('sessionError', () => {}); // the connection is closed, and its calls with it
    this.#server.on('stream', (stream, headers) => this.#onStream(stream, headers));
  }

  get port(): number {
    return portOf(this.#server);
  }

  listen(at: ListenAt): Promise<void> {
    return listenAt(this.#server, at);
  }

  /** Says goodbye on every connection, lets calls under way come to their end for as long as `graceMs`. */
  async close(graceMs: number): Promise<void> {
    this.#front.startClosing();
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of this.#sessions) session.close();
    const cut = setTimeout(() => {
      for (const session of this.#sessions) session.destroy();
    }, graceMs);
    await closed;
    clearTimeout(cut);
    this.#front.stalledBodies.stop();
  }

  #admit(session: ServerHttp2Session): void {
    const { metrics, options } = this.#front;
    if (this.#sessions.size >= options.maxConnections) {
      metrics.refused('connections_full');
      session.destroy(undefined, constants.NGHTTP2_ENHANCE_YOUR_CALM);
      return;
    }
    this.#sessions.add(session);
    metrics.connections++;
    session.once('close', () => {
      this.#sessions.delete(session);
      metrics.connections--;
    });
    session.setLocalWindowSize(connectionWindowBytes);
    if (this.#front.isClosing) session.close();
  }

  #onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    stream.on('error', () => {}); // what follows is 'close'
    const path = headers[':path'] ?? '';
    const method = Object.hasOwn(this.#methods, path) ? this.#methods[path] : undefined;
    const timeoutMs = readGrpcTimeout(headers['grpc-timeout'] as string | undefined);
    if (!(headers['content-type'] ?? '').startsWith('application/grpc') || headers[':method'] !== 'POST') {
      stream.respond({ ':status': 415 }, { endStream: true });
    } else if (method === undefined) {
      this.#refuse(stream, new SkeinError('grpc_method_unknown', { path: path.slice(0, 256) }));
    } else if (timeoutMs === undefined) {
      const value = String(headers['grpc-timeout']).slice(0, 64);
      this.#refuse(stream, new SkeinError('grpc_malformed', { reason: `grpc-timeout is '${value}'` }));
    } else if (method.kind === 'unary') serveUnary(this.#front, stream, headers, method);
    else new GrpcInferCall(this.#front, stream, headers, { method, timeoutMs });
  }

  #refuse(stream: ServerHttp2Stream, error: SkeinError): void {
    this.#front.metrics.refused(error.code);
    stream.resume();
    sendError(stream, error);
  }
}
