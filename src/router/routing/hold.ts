export interface HoldLimits {
  /** Requests held for one model, so that one cold model cannot take every place. */
  readonly maxPerModel: number;
  readonly maxTotal: number;
  /** No request is held longer, whatever its deadline. */
  readonly maxHoldMs: number;
}

export interface HoldView {
  readonly heldForModel: number;
  readonly heldTotal: number;
  /** When the model is expected to be ready, loads queued ahead of it included; undefined while nothing is known. */
  readonly readyAtMs: number | undefined;
  /** Expected time of the run itself; 0 while unknown. */
  readonly runMs: number;
}

/** `retryAfterSeconds` is when the model is expected to be ready: whole seconds, at least 1. */
type HoldDecision =
  | { readonly kind: 'hold'; readonly untilMs: number }
  | { readonly kind: 'refuse'; readonly code: 'model_loading' | 'hold_full'; readonly retryAfterSeconds: number };

/**
 * Whether a request for a model that is not ready waits for it. One that cannot make its deadline is refused at once,
 * with the time at which it would do better, and not when the deadline has passed.
 */
export function decideHold(view: HoldView, deadlineMs: number, limits: HoldLimits, nowMs: number): HoldDecision {
  const untilMs = Math.min(deadlineMs, nowMs + limits.maxHoldMs);
  // A load that takes longer than expected may end any moment.
  const readyInMs = Math.max(0, (view.readyAtMs ?? nowMs) - nowMs);
  const retryAfterSeconds = Math.max(1, Math.ceil(readyInMs / 1000));
  if (nowMs + readyInMs > untilMs || nowMs + readyInMs + view.runMs > deadlineMs) {
    return { kind: 'refuse', code: 'model_loading', retryAfterSeconds };
  }
  if (view.heldForModel >= limits.maxPerModel || view.heldTotal >= limits.maxTotal) {
    return { kind: 'refuse', code: 'hold_full', retryAfterSeconds };
  }
  return { kind: 'hold', untilMs };
}
