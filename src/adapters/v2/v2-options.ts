import type { HealthSettings } from './health-policy.ts';

/** Bounds on what one external server may take of the router. */
export interface V2Options {
  /** Requests that may be under way at once, each on a connection of its own. */
  readonly connections: number;
  /** Requests that may wait for one of them; past that a request is refused and tried elsewhere. */
  readonly waiting: number;
  readonly connectTimeoutMs: number;
  /** How long an answer may take to begin where the request itself has no deadline. */
  readonly longestAnswerMs: number;
  /** Longest silence in the middle of an answer. */
  readonly answerGapMs: number;
  readonly largestAnswerBytes: number;
  /** Largest answer of unknown length: it is gathered before its length can be told. */
  readonly gatheredAnswerBytes: number;
  readonly largestHeaderBytes: number;
  /** How long the server may take to say that it lives. A server that computes on the thread that answers needs more. */
  readonly probeTimeoutMs: number;
  /** Between two looks at which models it has. */
  readonly listEveryMs: number;
  /** For metadata, statistics and lists. */
  readonly callTimeoutMs: number;
  /** For loads and unloads. */
  readonly loadTimeoutMs: number;
  readonly health: HealthSettings;
}

/**
 * A death that no connection shows is noticed within two seconds (0.88 s to the next probe, two of them that get no answer
 * and the pause between), a return within two and a half.
 */
export const defaultOptions: V2Options = {
  connections: 64,
  waiting: 1_024,
  connectTimeoutMs: 2_000,
  longestAnswerMs: 300_000,
  answerGapMs: 60_000,
  largestAnswerBytes: 2 ** 30,
  gatheredAnswerBytes: 64 * 2 ** 20,
  largestHeaderBytes: 16 * 1024,
  probeTimeoutMs: 500,
  listEveryMs: 2_000,
  callTimeoutMs: 10_000,
  loadTimeoutMs: 600_000,
  health: { intervalMs: 800, retryMs: 100, failuresToEject: 2, backOffMinMs: 200, backOffMaxMs: 2_000 },
};
