export interface ScalingOptions {
  /** How often the mesh decides. Everything below is measured in its own time. */
  readonly tickMs: number;
  /** What is normal: shorter follows the load closer, and loads and frees copies more often. */
  readonly stableMs: number;
  /** What is now: shorter reacts sooner, and to noise. */
  readonly panicMs: number;
  /** Panic begins where the panic window wants so many times the ready copies. */
  readonly panicRatio: number;
  /** Requests in flight for each run at once: one being run, the others waiting, so that batches form. */
  readonly inFlightPerSlot: number;
  /** Share of that at which a copy counts as used up: what is left takes the next second's growth. */
  readonly utilisation: number;
  /** Bounds on one step: up to so many times the ready copies, down to one of so many. */
  readonly maxUpFactor: number;
  readonly maxDownFactor: number;
  /** The highest wish of so long holds: what was loaded is not given up for a pause. */
  readonly downDelayMs: number;
  /** A rate of so many times that of the stable window before is a burst … */
  readonly burstRatio: number;
  /** … if it is at least so many requests a second over all routers. */
  readonly burstMinPerSecond: number;
}

/**
 * Knative's shape with a tenth of its times: a second copy must be there within 2 s of a ten-fold burst, and copies of
 * a model load in far less than a container starts.
 */
export const defaultScalingOptions: ScalingOptions = Object.freeze({
  tickMs: 250,
  stableMs: 30_000,
  panicMs: 1_000,
  panicRatio: 2,
  inFlightPerSlot: 8,
  utilisation: 0.7,
  maxUpFactor: 4,
  maxDownFactor: 2,
  downDelayMs: 15_000,
  burstRatio: 4,
  burstMinPerSecond: 30,
});
