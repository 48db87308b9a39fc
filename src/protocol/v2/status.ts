import type { ErrorCode, ErrorKind, SkeinError } from '../errors.ts';
import { excerpt } from './excerpt.ts';

/**
 * The HTTP status of each kind of error. A client's fault is a 4xx, never a 5xx, and most are plain 400 because Triton's
 * clients expect that: so are a body over the limit (not 413) and a cancelled request, whose client no longer listens.
 * A deadline that passed is 503, the status of Triton's request time-out: sent again later, the request may be in time.
 */
const statuses = {
  invalid: 400,
  too_large: 400,
  cancelled: 400,
  forbidden: 403,
  not_found: 404,
  method: 405,
  unsupported: 501,
  unavailable: 503,
  deadline: 503,
  internal: 500,
} as const satisfies Record<ErrorKind, number>;

export function httpStatus(kind: ErrorKind): number {
  return statuses[kind];
}

/** Errors of which HTTP has a status of its own: they are told before anything of V2 was read. */
const ownStatuses: Partial<Record<ErrorCode, number>> = { http_head_too_large: 431, http_too_slow: 408 };

/** What a client sees of an error; see `statuses` and `ownStatuses`. */
export function statusOfError({ code, kind }: { readonly code: ErrorCode; readonly kind: ErrorKind }): number {
  return ownStatuses[code] ?? httpStatus(kind);
}

/** The text of an error, behind the id of its request where it has one: the one given, or the one it carries. */
export function errorText(error: SkeinError, requestId?: string): string {
  const id = requestId ?? error.facts['requestId'];
  return id === undefined || id === '' ? error.message : `[request id: ${excerpt(String(id))}] ${error.message}`;
}

/** The body of every V2 error, well-formed JSON whatever the text holds. */
export function errorBody(error: SkeinError, requestId?: string): string {
  return JSON.stringify({ error: errorText(error, requestId) });
}
