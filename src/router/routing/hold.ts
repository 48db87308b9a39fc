export interface HoldLimits {
  readonly maxPerModel: number;
  readonly maxTotal: number;
  /** No request is held longer, whatever its deadline. */
  readonly maxHoldMs: number;
}

export interface HoldView {
  readonly heldForModel: number;
  readonly heldTotal: number;
  /** When the model is expected to be ready, loads queued ahead of it included. */
  readonly readyAtMs: number;
  /** Expected time of the run itself. */
  readonly runMs: number;
}

export type HoldDecision =
  | { readonly kind: 'hold'; readonly untilMs: number }
  | { readonly kind: 'refuse'; readonly code: 'model_loading' | 'hold_full'; readonly retryAfterSeconds: number };

export declare function decideHold(view: HoldView, deadlineMs: number, limits: HoldLimits, nowMs: number): HoldDecision;
