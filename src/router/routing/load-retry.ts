import type { ErrorCode, SkeinError } from '../../protocol/errors.ts';

export type LoadRetry = { readonly kind: 'after'; readonly delayMs: number } | { readonly kind: 'fail' };

/** Room comes as soon as a copy in use is done, a place when a backend that ends has gone. */
const soonOver: ReadonlySet<ErrorCode> = new Set(['no_room', 'backend_draining']);
const roomDelayMs = 50;

/** A disk that is full or a source that is away: each try may move a whole model for nothing. */
const firstDelayMs = 500;
const patienceMs = 10_000;

/**
 * Every backend that there is has refused a load with an error after which it may be tried again: when that is, or that
 * the load has failed. `rounds`: how often it came to this before.
 */
export function decideLoadRetry(refusals: readonly SkeinError[], rounds: number, waitedMs: number): LoadRetry {
  if (refusals.every(({ code }) => code === 'model_too_large')) return { kind: 'fail' };
  if (refusals.some(({ code }) => soonOver.has(code))) return { kind: 'after', delayMs: roomDelayMs };
  const leftMs = patienceMs - waitedMs;
  return leftMs <= 0 ? { kind: 'fail' } : { kind: 'after', delayMs: Math.min(leftMs, firstDelayMs * 2 ** rounds) };
}
