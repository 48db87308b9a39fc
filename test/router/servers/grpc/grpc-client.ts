/** Calls over HTTP/2 as gRPC's clients make them. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type OutgoingHttpHeaders } from 'node:http2';
import { messagePrefix } from '../../../../src/protocol/grpc/message-frame.ts';

interface GrpcAnswer {
  /** Undefined where the stream was reset before it said one. */
  readonly status: number | undefined;
  readonly text: string;
  readonly message: Buffer;
  readonly headers: Readonly<Record<string, unknown>>;
}

export function frame(message: Uint8Array, flag = 0): Buffer {
  const prefix = messagePrefix(message.byteLength);
  prefix[0] = flag;
  return Buffer.concat([prefix, message]);
}

interface GrpcCall {
  readonly stream: ClientHttp2Stream;
  readonly answer: Promise<GrpcAnswer>;
}

export function open(session: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}): GrpcCall {
  const stream = session.request({
    ':method': 'POST',
    ':path': path,
    'content-type': 'application/grpc',
    te: 'trailers',
    ...headers,
  });
  const answer = new Promise<GrpcAnswer>((resolve) => {
    let first: Record<string, unknown> = {};
    let last: Record<string, unknown> = {};
    const pieces: Buffer[] = [];
    stream.on('response', (given) => {
      first = given;
      last = given;
    });
    stream.on('trailers', (given) => {
      last = given;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => {});
    stream.on('close', () => {
      const status = last['grpc-status'];
      resolve({
        status: status === undefined ? undefined : Number(status),
        text: decodeURIComponent(String(last['grpc-message'] ?? '')),
        message: Buffer.concat(pieces).subarray(5),
        headers: first,
      });
    });
  });
  return { stream, answer };
}

/** One message, whole. */
export function call(
  session: ClientHttp2Session,
  path: string,
  message: Uint8Array,
  headers: OutgoingHttpHeaders = {},
): Promise<GrpcAnswer> {
  const { stream, answer } = open(session, path, headers);
  stream.end(frame(message));
  return answer;
}

export function session(url: string): Promise<ClientHttp2Session> {
  return new Promise((resolve, reject) => {
    const opened = connect(url);
    opened.once('connect', () => resolve(opened));
    opened.once('error', reject);
  });
}
