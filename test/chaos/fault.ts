import type { ChaosFleet } from './chaos-fleet.ts';
import type { Ledger } from './ledger.ts';
import type { Disturbance } from './tcp-proxy.ts';

/** What a fault may do with. */
export interface World {
  readonly fleet: ChaosFleet;
  readonly ledger: Ledger;
  readonly repository: string;
  /** A line for whoever watches. */
  say(text: string): void;
}

/** What the schedule draws from. */
export interface FaultShape {
  readonly kind: string;
  /** Members, pairs of them, or models. */
  readonly targets: readonly string[];
  readonly variants: readonly string[];
  /** It lasts at least and at most so long; what is over at once is repaired after this time. */
  readonly holdMs: readonly [number, number];
}

export interface Fault extends FaultShape {
  /** Resolves when it is in effect, with what ends it; undefined where this machine cannot do it. */
  begin(world: World, target: string, variant: string): Promise<EndFault | undefined>;
}

/** Resolves when everything is started again; members may still have to find each other. */
export type EndFault = () => Promise<void>;

/** Of variants: `silent`, `reset`, or the delay of a slow link such as `200 ms`. */
export function disturbanceOf(variant: string): Disturbance {
  if (variant === 'silent' || variant === 'reset') return { kind: variant };
  return { kind: 'slow', delayMs: Number.parseInt(variant, 10) };
}
