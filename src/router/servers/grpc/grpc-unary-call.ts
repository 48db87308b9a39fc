import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { SkeinError } from '../../../protocol/errors.ts';
import type { Front } from '../front.ts';
import { endWhereNotTaken } from './answer-taking.ts';
import { sendError, sendMessage } from './grpc-answer.ts';
import type { UnaryMethod } from './grpc-method.ts';
import { MessageIntake } from './message-intake.ts';

/** Of a message that carries names and configurations alone; gRPC's own default. */
const maxMessageBytes = 4 * 1024 * 1024;

/** Takes one message, hands it to its method, and sends what that answers. */
export function serveUnary(
  front: Front,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  method: UnaryMethod,
): void {
  const pieces: Uint8Array[] = [];
  const refuse = (error: SkeinError) => {
    front.metrics.refused(error.code);
    sendError(stream, error);
  };
  const intake = new MessageIntake(
    stream,
    headers['grpc-encoding'] as string | undefined,
    {
      onLength: () => {},
      onPiece: (piece) => pieces.push(piece),
      onEnd: () => void answer(),
      onFault: refuse,
    },
    { maxMessageBytes, timeoutMs: front.options.bodyTimeoutMs, stalledBodies: front.stalledBodies },
  );
  stream.once('close', () => intake.stop());

  async function answer(): Promise<void> {
    try {
      const remoteAddress = stream.session?.socket.remoteAddress;
      const parts = await method.handle(Buffer.concat(pieces), { remoteAddress });
      sendMessage(stream, parts);
      endWhereNotTaken(stream, front);
    } catch (fault) {
      const error = SkeinError.from(fault);
      if (error.kind === 'internal') front.log('call failed', { path: headers[':path'], error });
      refuse(error);
    }
  }
}
