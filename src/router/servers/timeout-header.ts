import { SkeinError } from '../../protocol/errors.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';

/** How long the client waits for the answer: past it the request is given up wherever it is. */
const timeoutHeader = 'Skein-Timeout-Ms';

/** As node names it. */
export const timeoutHeaderKey = 'skein-timeout-ms';

/** A day: what waits longer is no request any more. */
const limit = 86_400_000;

/** In milliseconds; 0 where the client names none. */
export function readTimeout(value: string | undefined): number {
  if (value === undefined) return 0;
  const timeoutMs = /^\d{1,8}$/.test(value) ? Number(value) : 0;
  if (timeoutMs < 1 || timeoutMs > limit) {
    throw new SkeinError('timeout_malformed', { header: timeoutHeader, limit, value: excerpt(value) });
  }
  return timeoutMs;
}
