import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SkeinError } from '../../protocol/errors.ts';
import { type ErrorRendering, v2Errors } from './error-rendering.ts';

/** A rest of a body up to this size is read and dropped, so that the connection can go on. */
export const droppedRestBytes = 1024 * 1024;

/** How long a client may go on sending a body that was refused, before the connection is cut. */
export const lingerMs = 4_000;

interface RefusalDetail {
  readonly requestId?: string | undefined;
  /** Names and values in turn. */
  readonly fixedHeaders: readonly string[];
  /** The rest of the request cannot be told from the next one. */
  readonly mustClose?: boolean;
  /** In the words of the client's dialect; V2's where it is not known. */
  readonly errors?: ErrorRendering;
}

/**
 * Answers with an error, whatever has come of the request's body. A client that is in the midst of a large body gets the
 * whole answer at once; then the rest is read and dropped for a while, because a connection that is closed with bytes
 * unread is reset, and the reset takes the answer away from a client that has not read it yet (RFC 9112, 9.6).
 */
export function refuse(req: IncomingMessage, res: ServerResponse, error: SkeinError, detail: RefusalDetail): void {
  if (res.headersSent || res.destroyed) {
    res.destroy();
    return;
  }
  const errors = detail.errors ?? v2Errors;
  const body = Buffer.from(errors.body(error, detail.requestId));
  const lingers = detail.mustClose === true || (!req.complete && !isSmallRest(req));
  res.writeHead(errors.status(error), refusalHeaders(error, body.byteLength, detail.fixedHeaders, lingers));
  if (!lingers) {
    res.end(body);
    req.resume();
    return;
  }
  res.write(body);
  linger(req, res);
}

/** Names and values in turn. */
export function refusalHeaders(
  error: SkeinError,
  sizeBytes: number,
  fixed: readonly string[],
  closes: boolean,
): string[] {
  const headers = ['Content-Type', 'application/json', 'Content-Length', String(sizeBytes), ...fixed];
  const retryAfter = error.facts['retryAfterSeconds'];
  if (retryAfter !== undefined) headers.push('Retry-After', String(Math.max(1, Math.ceil(Number(retryAfter)))));
  if (closes && !fixed.includes('Connection')) headers.push('Connection', 'close');
  return headers;
}

function isSmallRest(req: IncomingMessage): boolean {
  if (req.headers['transfer-encoding'] !== undefined) return false;
  return Number(req.headers['content-length'] ?? 0) <= droppedRestBytes;
}

function linger(req: IncomingMessage, res: ServerResponse): void {
  if (req.readableEnded) {
    res.end();
    return;
  }
  const timer = setTimeout(end, lingerMs);
  req.once('end', end);
  res.once('close', end);
  req.resume();

  function end(): void {
    clearTimeout(timer);
    res.end();
  }
}
