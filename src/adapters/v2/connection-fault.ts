import { errors } from 'undici';
import { SkeinError } from '../../protocol/errors.ts';
import type { Sign } from './health-policy.ts';

/** Codes of undici for more bytes than are taken. */
const overflowCodes = new Set(['UND_ERR_HEADERS_OVERFLOW', 'UND_ERR_RES_EXCEEDED_MAX_SIZE']);

/** Codes of the system that mean: nobody listens there, or there is no way to it. */
const refusedCodes = new Set(['ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND', 'EHOSTDOWN']);

/** What the HTTP client threw, as the mesh's own error. `relayedBytes`: of an answer that had begun, else undefined. */
export function connectionError(backend: string, fault: Error, relayedBytes: number | undefined): SkeinError {
  const reason = reasonOf(fault);
  const options = { cause: fault };
  if (relayedBytes !== undefined) {
    return new SkeinError('reply_cut', { backend, bytes: relayedBytes, reason }, options);
  }
  const isAnswer = overflowCodes.has(codeOf(fault)) || fault instanceof errors.HTTPParserError;
  return new SkeinError(isAnswer ? 'reply_malformed' : 'link_broken', { backend, reason }, options);
}

/** What a probe that failed with this says of the server. */
export function signOf(error: SkeinError): Sign {
  const fault = error.cause;
  const isRefused = fault instanceof Error && refusedCodes.has(codeOf(fault));
  return { kind: isRefused ? 'refused' : 'failed', reason: fault instanceof Error ? reasonOf(fault) : error.message };
}

function codeOf(fault: Error): string {
  return 'code' in fault && typeof fault.code === 'string' ? fault.code : '';
}

/** A name with several addresses fails with all their faults together and no text of its own. */
function reasonOf(fault: Error): string {
  if (fault.message !== '') return fault.message;
  const first = fault instanceof AggregateError ? fault.errors[0] : undefined;
  return first instanceof Error ? first.message : codeOf(fault) || fault.name;
}
