import { constants, type OutgoingHttpHeaders, type ServerHttp2Stream } from 'node:http2';
import type { SkeinError } from '../../../protocol/errors.ts';
import { messagePrefix } from '../../../protocol/grpc/message-frame.ts';
import { encodeGrpcMessage, GrpcCode, grpcCode } from '../../../protocol/grpc/status.ts';
import type { BodyDialect } from '../../../protocol/link/infer-head.ts';
import { errorText } from '../../../protocol/v1/status.ts';

const opening: OutgoingHttpHeaders = {
  ':status': 200,
  'content-type': 'application/grpc',
  'grpc-accept-encoding': 'identity,gzip,deflate',
};
const isOk: OutgoingHttpHeaders = { 'grpc-status': GrpcCode.ok };

/** Says that an answer of so many bytes comes: what is written next is its message. The trailers follow by themselves. */
export function beginMessage(stream: ServerHttp2Stream, messageBytes: number): void {
  if (isReset(stream)) return;
  stream.respond(opening, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(isOk));
  stream.write(messagePrefix(messageBytes));
}

/** A whole answer. */
export function sendMessage(stream: ServerHttp2Stream, parts: readonly Uint8Array[]): void {
  if (isReset(stream)) return;
  let length = 0;
  for (const part of parts) length += part.byteLength;
  stream.respond(opening, { waitForTrailers: true });
  stream.once('wantTrailers', () => stream.sendTrailers(isOk));
  stream.end(Buffer.concat([messagePrefix(length), ...parts]));
}

/** Longest text in a trailer: peers bound the size of headers, 8 KB commonly. */
const longestText = 2_000;

/** Ends a call with an error, or breaks it off where its answer has begun. */
export function sendError(stream: ServerHttp2Stream, error: SkeinError, dialect?: BodyDialect): void {
  if (isReset(stream)) return;
  if (stream.headersSent) {
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    return;
  }
  const retryAfter = error.facts['retryAfterSeconds'];
  stream.respond(
    {
      ...opening,
      'grpc-status': grpcCode(error, dialect),
      'grpc-message': encodeGrpcMessage(errorText(error, dialect).slice(0, longestText)),
      ...(retryAfter === undefined ? {} : { 'grpc-retry-pushback-ms': Math.ceil(Number(retryAfter) * 1_000) }),
    },
    { endStream: true },
  );
  // A client that still sends is told that nobody reads it any more.
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

/** To respond would throw. Destroyed it is only once all that came of its message is read. */
function isReset(stream: ServerHttp2Stream): boolean {
  return stream.closed;
}
