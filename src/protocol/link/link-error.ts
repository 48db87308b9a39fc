import { SkeinError } from '../errors.ts';
import type { LinkError } from './messages.ts';

/** An error frame holds 64 KB, and in JSON a character may take six. */
const maxTextLength = 4_000;

/**
 * An error as it travels: by code and facts, never by class or text. The runtime's words and a client's id may be of any
 * length; cut or left out they still fit the frame.
 */
export function toLinkError(error: SkeinError, requestId: string | undefined): LinkError {
  const { code } = error;
  const facts = Object.fromEntries(Object.entries(error.facts).map(([name, value]) => [name, brief(value)]));
  return requestId === undefined || requestId.length > maxTextLength ? { code, facts } : { code, facts, requestId };
}

export function fromLinkError({ code, facts }: LinkError): SkeinError {
  return new SkeinError(code, facts);
}

function brief(value: string | number): string | number {
  return typeof value === 'string' && value.length > maxTextLength ? `${value.slice(0, maxTextLength)}…` : value;
}
