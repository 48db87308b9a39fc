import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Front } from './front.ts';
import type { ServerOptions } from './server-options.ts';

/** The answer under way on a connection: node keeps it there for its own handler of time-outs. */
type HttpSocket = Socket & { readonly _httpMessage?: ServerResponse | null };

export const usualAnswerTimeoutMs = 30_000;

/** A request whose body never stalls but never ends, either, is cut off after this. */
const wholeRequestMs = 300_000;

export function wholeRequestLimitMs(options: ServerOptions): number {
  return Math.max(options.wholeRequestMs ?? wholeRequestMs, options.headersTimeoutMs);
}

/**
 * Decides about connections on which nothing moved for a while. One that waits for an answer is let be; one between
 * requests is closed; and so is one whose client does not take its answer, which would be kept here for ever.
 */
export function closeIdleConnections(server: Server, front: Front): void {
  server.timeout = front.options.answerTimeoutMs ?? usualAnswerTimeoutMs;
  server.on('timeout', (socket: HttpSocket) => {
    const answering = socket._httpMessage;
    const isWaiting = answering != null && !answering.headersSent;
    if (isWaiting) return;
    if (answering != null) front.metrics.refused('answer_not_taken');
    socket.destroy();
  });
}
