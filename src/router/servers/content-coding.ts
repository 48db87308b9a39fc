import { SkeinError } from '../../protocol/errors.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';

/** The codings that V2 clients use. `deflate` is zlib's format, as RFC 9110 has it. */
export type Coding = 'gzip' | 'deflate';

/** The coding of a request's body, undefined for none. */
export function readContentEncoding(value: string | undefined): Coding | undefined {
  if (value === undefined) return undefined;
  switch (value.trim().toLowerCase()) {
    case '':
    case 'identity':
      return undefined;
    case 'gzip':
    case 'x-gzip':
      return 'gzip';
    case 'deflate':
      return 'deflate';
    default:
      throw new SkeinError('body_encoding', { coding: excerpt(value) });
  }
}

/**
 * The coding that the client likes best of those we have, from its Accept-Encoding; undefined for none. Only what it
 * names counts: `*` alone asks for nothing. Of two that it likes as much gzip is taken.
 */
export function chooseCoding(accept: string | undefined): Coding | undefined {
  if (accept === undefined) return undefined;
  let best: Coding | undefined;
  let bestWeight = 0;
  for (const part of accept.split(',')) {
    const [name = '', ...parameters] = part.split(';');
    const coding = codingOf(name.trim().toLowerCase());
    const weight = coding === undefined ? 0 : weightOf(parameters);
    if (weight > bestWeight || (weight > 0 && weight === bestWeight && coding === 'gzip')) {
      best = coding;
      bestWeight = weight;
    }
  }
  return best;
}

function codingOf(name: string): Coding | undefined {
  if (name === 'gzip' || name === 'x-gzip') return 'gzip';
  return name === 'deflate' ? 'deflate' : undefined;
}

/** The q of RFC 9110, 12.4.2; one that cannot be read refuses the coding, the careful reading. */
function weightOf(parameters: readonly string[]): number {
  const q = parameters
    .map((parameter) => parameter.trim().toLowerCase())
    .find((parameter) => parameter.startsWith('q='));
  if (q === undefined) return 1;
  return /^q=(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(q) ? Number(q.slice(2)) : 0;
}
