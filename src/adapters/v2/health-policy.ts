/**
 * When an external server is asked whether it lives, when it is ejected, and when it is back.
 *
 *              a failure short of the limit: asked again soon
 *                 +-----+
 *                 v     |
 *   (connected) serving -+-- refused, or `failuresToEject` failures in a row --> ejected -+
 *                 ^                                                              |   ^    | still failing:
 *                 +------------------------- answered ---------------------------+   +----+ asked ever less often
 *
 * Nothing here looks at a clock or draws lots: times are performance.now() of the caller, `random` is in [0, 1).
 */

export interface HealthSettings {
  /** Between two probes of a server that is well. */
  readonly intervalMs: number;
  /** After a failure that does not eject yet, and the least time between any two probes. */
  readonly retryMs: number;
  /** Failures in a row that eject. A refused connection ejects alone: nobody listens there. */
  readonly failuresToEject: number;
  /** Between two probes of an ejected server: doubles from the first to the second, then halves at random. */
  readonly backOffMinMs: number;
  readonly backOffMaxMs: number;
}

/** What a probe, or the server's silence on it, has shown. */
export type Sign =
  | { readonly kind: 'answered' }
  /** Nobody listens at the address, or there is no way to it. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** No answer in time, a connection that was cut, or a proxy that says that nobody is behind it. */
  | { readonly kind: 'failed'; readonly reason: string };

export type Health =
  | { readonly kind: 'serving'; readonly failures: number; readonly probedAtMs: number; readonly nextProbeAtMs: number }
  | {
      readonly kind: 'ejected';
      /** Probes that failed since it was ejected. */
      readonly failures: number;
      readonly reason: string;
      readonly probedAtMs: number;
      readonly nextProbeAtMs: number;
    };

/** The health of a server after a probe that ended at `nowMs`. */
export function afterProbe(
  health: Health,
  sign: Sign,
  nowMs: number,
  random: number,
  settings: HealthSettings,
): Health {
  if (sign.kind === 'answered') return serving(0, nowMs, settings.intervalMs * (0.9 + 0.2 * random));
  if (health.kind === 'ejected') return ejected(health.failures + 1, sign.reason, nowMs, random, settings);
  const failures = health.failures + 1;
  const isOver = sign.kind === 'refused' || failures >= settings.failuresToEject;
  if (isOver) return ejected(0, sign.reason, nowMs, random, settings);
  return serving(failures, nowMs, settings.retryMs);
}

/**
 * A request broke or an idle connection was cut: the next probe comes at once, though never sooner than `retryMs` after
 * the last one. An ejected server is asked at its own pace: requests to it break all the time.
 */
export function afterBrokenConnection(health: Health, nowMs: number, settings: HealthSettings): Health {
  if (health.kind === 'ejected') return health;
  const soonMs = Math.max(nowMs, health.probedAtMs + settings.retryMs);
  return soonMs < health.nextProbeAtMs ? { ...health, nextProbeAtMs: soonMs } : health;
}

function serving(failures: number, nowMs: number, delayMs: number): Health {
  return { kind: 'serving', failures, probedAtMs: nowMs, nextProbeAtMs: nowMs + delayMs };
}

/** Half of the delay is left to chance, so that routers which lost a server together do not come back together. */
function ejected(failures: number, reason: string, nowMs: number, random: number, settings: HealthSettings): Health {
  const delayMs = Math.min(settings.backOffMaxMs, settings.backOffMinMs * 2 ** Math.min(failures, 30));
  return {
    kind: 'ejected',
    failures,
    reason,
    probedAtMs: nowMs,
    nextProbeAtMs: nowMs + delayMs * (0.5 + 0.5 * random),
  };
}
