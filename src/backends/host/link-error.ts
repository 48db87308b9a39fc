import type { SkeinError } from '../../protocol/errors.ts';
import type { LinkError } from '../../protocol/link/messages.ts';

/** An error as it travels: by code and facts, never by class or text. */
export function toLinkError(error: SkeinError, requestId: string | undefined): LinkError {
  const { code, facts } = error;
  return requestId === undefined ? { code, facts } : { code, facts, requestId };
}
