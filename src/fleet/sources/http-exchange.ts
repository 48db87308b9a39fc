import { type IncomingMessage, request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { SkeinError } from '../../protocol/errors.ts';
import { type SourceGate, shown } from './source-gate.ts';

interface GetOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly gate: SourceGate;
  /** So long nothing may come. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
}

/**
 * One GET, no redirect followed; the answer's body is left to the caller, who must read or destroy it. Rejects with
 * `source_unreachable`, `source_address`, or `cancelled`.
 */
export function httpGet(url: URL, { headers, gate, silenceMs, signal }: GetOptions): Promise<IncomingMessage> {
  gate.checkHost(url.hostname);
  const send = url.protocol === 'https:' ? tlsRequest : plainRequest;
  return new Promise((resolve, reject) => {
    // Connections are not kept: the next file may be hours away, and one file is many megabytes.
    const request = send(url, {
      method: 'GET',
      headers,
      agent: false,
      lookup: gate.lookup,
      signal,
      maxHeaderSize: 32_768,
    });
    const silence = setTimeout(() => request.destroy(new Error(`no answer within ${silenceMs} ms`)), silenceMs);
    request.on('response', (answer) => {
      clearTimeout(silence);
      answer.setTimeout(silenceMs, () => answer.destroy(new Error(`nothing came for ${silenceMs} ms`)));
      resolve(answer);
    });
    request.on('error', (fault) => {
      clearTimeout(silence);
      reject(connectionFault(url, fault, signal));
    });
    request.end();
  });
}

function connectionFault(url: URL, fault: Error, signal: AbortSignal): SkeinError {
  if (fault instanceof SkeinError) return fault;
  if (signal.aborted) return new SkeinError('cancelled', {}, { cause: fault });
  return new SkeinError('source_unreachable', { url: shown(url), reason: reasonOf(fault) }, { cause: fault });
}

/** Several addresses that were all tried make one error without words of its own. */
function reasonOf(fault: Error): string {
  if (fault instanceof AggregateError) return fault.errors.map((one: Error) => one.message).join('; ');
  return fault.message;
}
