import { Pool } from 'undici';
import type { V2Options } from './v2-options.ts';

/** Shorter than the usual 5 s after which servers close: a request should not meet a connection that just ends. */
const keepAliveMs = 3_000;

/** Connections to one server, one request on each at a time. `onBroken` hears of those that ended out of turn. */
export function openPool(origin: string, connections: number, options: V2Options, onBroken: () => void): Pool {
  const pool = new Pool(origin, {
    connections,
    pipelining: 1,
    connectTimeout: options.connectTimeoutMs,
    keepAliveTimeout: keepAliveMs,
    keepAliveMaxTimeout: keepAliveMs,
    maxHeaderSize: options.largestHeaderBytes,
    maxResponseSize: options.largestAnswerBytes,
  });
  const onEnd = (_origin: URL, _targets: readonly unknown[], fault: Error) => {
    // This side's own doing: a time-out of an idle connection, a request that was given up.
    if (!('code' in fault) || fault.code !== 'UND_ERR_INFO') onBroken();
  };
  pool.on('disconnect', onEnd);
  pool.on('connectionError', onEnd);
  return pool;
}
