import { constants, type ServerHttp2Stream } from 'node:http2';
import type { Front } from '../front.ts';
import { usualAnswerTimeoutMs } from '../idle-connections.ts';

const looksPerTimeout = 2;

/**
 * As many times longer a call is let be on whose connection something else is written. What node hands on at once, a
 * megabyte at most, shows as taken once all of it is: of a slow client nothing is seen for long.
 */
const patience = 10;

/** So much is written on a connection between two looks where no answer moves: pings, ends of other calls. */
const quietBytes = 16 * 1024;

/**
 * Ends a call whose client takes nothing of its answer for too long: what is left of it waits in this process and in the
 * backend. Called once the answer has begun.
 */
export function endWhereNotTaken(stream: ServerHttp2Stream, { options, metrics }: Front): void {
  if (stream.closed) return;
  const { session } = stream;
  let leftBytes = -1;
  let writtenBytes = 0;
  let isDrained = false;
  let stuckLooks = 0;
  let quietLooks = 0;
  const look = setInterval(
    () => {
      if (stream.closed) {
        clearInterval(look);
        return;
      }
      const written = session?.socket.bytesWritten ?? 0;
      const isStuck = !isDrained && stream.bufferSize > 0 && stream.bufferSize === leftBytes;
      stuckLooks = isStuck ? stuckLooks + 1 : 0;
      quietLooks = isStuck && written - writtenBytes <= quietBytes ? quietLooks + 1 : 0;
      isDrained = false;
      leftBytes = stream.bufferSize;
      writtenBytes = written;
      if (quietLooks < looksPerTimeout && stuckLooks < patience * looksPerTimeout) return;
      metrics.refused('answer_not_taken');
      stream.close(constants.NGHTTP2_CANCEL);
    },
    (options.answerTimeoutMs ?? usualAnswerTimeoutMs) / looksPerTimeout,
  ).unref();
  stream.on('drain', () => {
    isDrained = true;
  });
  stream.once('close', () => clearInterval(look));
}
