/** Sends one conversation to a server and waits for its end; used to compare two readers of HTTP. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

interface Conversation {
  /** Written one after the other, with a turn of the event loop or two between them. */
  readonly pieces: readonly Buffer[];
  /** The client ends its side behind the last piece, and goes on listening. */
  readonly halfClose: boolean;
}

export interface Received {
  /** Everything that came back, its dates blotted out. */
  readonly text: string;
  /** `open`: the server did not end the connection in time. */
  readonly end: 'closed' | 'reset' | 'open';
}

export async function converse(
  port: number,
  { pieces, halfClose }: Conversation,
  timeoutMs: number,
): Promise<Received> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  const received: Buffer[] = [];
  let isReset = false;
  socket.on('data', (bytes) => received.push(bytes));
  socket.on('error', () => {
    isReset = true;
  });
  const ended = Promise.race([once(socket, 'end'), once(socket, 'close')]).then(
    () => true,
    () => true,
  );
  await once(socket, 'connect');
  for (const [i, piece] of pieces.entries()) {
    if (i > 0) await sleep(2);
    if (isReset || socket.destroyed) break;
    socket.write(piece);
  }
  if (halfClose) socket.end();
  const isEnded = await Promise.race([ended, sleep(timeoutMs, false, { ref: false })]);
  socket.destroy();
  const text = Buffer.concat(received).toString('latin1');
  return {
    text: text.replaceAll(/Date: [^\r]*/g, 'Date: then'),
    end: isReset ? 'reset' : isEnded ? 'closed' : 'open',
  };
}
