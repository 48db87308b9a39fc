import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import { SkeinError } from '../../protocol/errors.ts';
import { errorBody, statusOfError } from '../../protocol/v2/status.ts';
import type { Front } from './front.ts';

/** What node's parser and timers report, with a code and sometimes a reason of llhttp's. */
interface HttpFault extends Error {
  readonly code?: string;
  readonly reason?: string;
}

/** The answer under way on a connection: node keeps it where its own handler of these faults finds it, too. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

/**
 * Answers what is not HTTP, or comes too slowly to be any: the parser has given up, so the bytes are written to the
 * connection itself, which then ends. Answers to whole requests that came before on it are let out first.
 */
export function answerHttpFault(front: Front, fault: HttpFault, socket: Socket): void {
  // A connection that never said anything is closed without a word: whoever opened it in advance expects no answer.
  const isGone = fault.code === 'ECONNRESET' || !socket.writable || socket.bytesRead === 0;
  if (isGone) {
    socket.destroy();
    return;
  }
  const error = judge(front, fault, socket);
  front.metrics.refused(error.code);
  afterWholeRequests(socket, () => endWithFault(socket, error));
}

/** Writes the last answer of a connection, and ends it. */
export function endWithFault(socket: Socket, error: SkeinError): void {
  const body = errorBody(error);
  const status = statusOfError(error);
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Connection: close\r\n\r\n${body}`,
  );
  // The parser reads no more, so nothing would notice the client's end.
  socket.resume();
  socket.setTimeout(closingMs, () => socket.destroy());
  socket.once('end', () => socket.destroy());
}

/** The client said that no more will come, and has not sent all that it announced. */
export const bodyEndedEarly = 'its body ended before the announced length';

/** For a client that does not close its side. */
const closingMs = 1_000;

function judge(front: Front, fault: HttpFault, socket: HttpSocket): SkeinError {
  const { maxHeaderBytes, headersTimeoutMs } = front.options;
  switch (fault.code) {
    case 'HPE_HEADER_OVERFLOW':
      return new SkeinError('http_head_too_large', { limitBytes: maxHeaderBytes });
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new SkeinError('http_too_slow', { seconds: headersTimeoutMs / 1_000 });
    case 'HPE_INVALID_EOF_STATE':
      return new SkeinError('http_malformed', { reason: endedEarly(socket) });
    default:
      return new SkeinError('http_malformed', { reason: fault.reason ?? fault.message });
  }
}

function endedEarly({ _httpMessage: answering }: HttpSocket): string {
  return answering == null ? 'it ended in its head' : bodyEndedEarly;
}

function afterWholeRequests(socket: HttpSocket, next: () => void): void {
  const answering = socket._httpMessage;
  if (answering == null || answering.writableFinished) next();
  else if (answering.req.complete) answering.once('finish', () => afterWholeRequests(socket, next));
  else if (answering.headersSent)
    socket.destroy(); // in the midst of an answer: nothing can be said any more
  else next();
}
