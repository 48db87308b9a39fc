import { SkeinError } from '../../protocol/errors.ts';
import type { ModelEntry } from './model-entry.ts';

/** What a request is told of a load that cannot succeed; whoever asks for the load itself hears the error as it is. */
export function unservable(entry: ModelEntry, error: SkeinError): SkeinError {
  if (error.kind !== 'invalid' && error.kind !== 'unsupported') return error;
  const reason = error.code === 'load_failed' ? error.facts['reason']! : error.message;
  return new SkeinError('model_failed', { model: entry.name, reason }, { cause: error });
}

/** The request is not held at all. */
export function notHeld(
  decision: { code: 'model_loading' | 'hold_full'; retryAfterSeconds: number },
  entry: ModelEntry,
  heldRequests: number,
): SkeinError {
  const { code, retryAfterSeconds } = decision;
  const facts = { model: entry.name, depth: heldRequests, seconds: retryAfterSeconds, retryAfterSeconds };
  return new SkeinError(code, facts);
}

/** It was held as long as may be, and the load is still under way. */
export function heldTooLong(entry: ModelEntry, readyInMs: number): SkeinError {
  const seconds = Math.max(1, Math.ceil(readyInMs / 1000));
  return new SkeinError('model_loading', { model: entry.name, seconds, retryAfterSeconds: seconds });
}

/** No backend is there that could take it. */
export function noBackend(entry: ModelEntry): SkeinError {
  const detail = 'none is connected that could take it';
  return new SkeinError('no_backend', { model: entry.name, detail, retryAfterSeconds: 1 });
}
