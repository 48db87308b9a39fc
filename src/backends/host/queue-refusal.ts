import { SkeinError } from '../../protocol/errors.ts';
import type { ExpiredItem } from '../batching/batcher.ts';

/** What a request is told that the queue does not take. */
export function refusedAtOnce(refusal: string, timeoutMs: number): SkeinError {
  if (refusal !== 'expired') return new SkeinError('queue_full');
  return new SkeinError('deadline_passed', { ms: timeoutMs, stage: 'before the request was queued' });
}

/** What one is told whose time is over in the queue. */
export function refusedLate(why: ExpiredItem<unknown>['why'], waitedMs: number): SkeinError {
  if (why === 'timeout') return new SkeinError('queue_timeout');
  return new SkeinError('deadline_passed', { ms: Math.round(waitedMs), stage: 'while the request was queued' });
}
