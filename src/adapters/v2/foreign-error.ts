import { type ErrorCode, SkeinError } from '../../protocol/errors.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';

/** An HTTP answer of a server that refused. */
export interface ForeignAnswer {
  readonly status: number;
  readonly body: Uint8Array;
}

/**
 * What a server refused with, for the client: its own words, under the status that it chose or the nearest that the V2
 * dialect has. `facts.status` keeps the exact one.
 */
export function foreignError(backend: string, { status, body }: ForeignAnswer): SkeinError {
  const words = ownWords(body);
  const text = words ?? `backend '${backend}' answered with HTTP status ${status}${readable(body)}`;
  const code = codeOf(status);
  // A redirection is not followed: the address in the settings should be the last one of a chain.
  if (code === undefined)
    return new SkeinError('reply_malformed', { backend, status, reason: `HTTP status ${status}` });
  return new SkeinError(code, { backend, status, text });
}

/** Undefined for what is no error: a redirection, or a success that a request was not to have. */
function codeOf(status: number): ErrorCode | undefined {
  switch (status) {
    case 401:
    case 403:
      return 'foreign_forbidden';
    case 404:
    case 410:
      return 'foreign_missing';
    case 405:
    case 501:
      return 'foreign_unsupported';
    case 408: // the server, or what stands before it, is too busy; another copy may not be
    case 429:
    case 502:
    case 503:
    case 504:
      return 'foreign_unavailable';
    default:
      if (status >= 500) return 'foreign_failed';
      return status >= 400 ? 'foreign_invalid' : undefined;
  }
}

/** `{"error": text}` of the protocol; `{"detail": …}` of servers built on FastAPI, where it is not a text as JSON. */
function ownWords(body: Uint8Array): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const said = 'error' in value ? value.error : 'detail' in value ? value.detail : undefined;
  if (said === undefined || said === '') return undefined;
  return typeof said === 'string' ? said : JSON.stringify(said);
}

function readable(body: Uint8Array): string {
  const text = new TextDecoder().decode(body.subarray(0, 1024)).trim();
  return text === '' ? ' and said nothing' : ` and said: ${excerpt(text)}`;
}
