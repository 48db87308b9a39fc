/**
 * What placement sees: a frozen picture of the fleet. Whoever keeps the router's state builds it; nothing here changes
 * it, and two routers that see the same picture decide alike.
 */

/** `draining` and `suspended` backends are given nothing new; what a draining one holds is to be moved. */
export type BackendAvailability = 'ready' | 'draining' | 'suspended';

export interface PlacementBackend {
  readonly id: string;
  /** Engine kinds that it runs (`onnx`, `tensorflow`, `echo`, …). */
  readonly engines: readonly string[];
  /** What copies may take together: the hard cap. */
  readonly usableBytes: number;
  /** Taken by copies, those being loaded with their expected size included. */
  readonly usedBytes: number;
  /** The lowest value per byte that it would give up for a new copy; 0 while it has room. See backends/memory. */
  readonly evictionPrice: number;
  /** Sum of `demand` over the models assigned to it. Moves slowly, so that it can bound what momentary memory cannot. */
  readonly assignedDemand: number;
  readonly state: BackendAvailability;
  readonly labels: Readonly<Record<string, string>>;
}

export interface PlacementModel {
  readonly name: string;
  readonly version: number;
  /** Measured where it was loaded before, else estimated from its files. */
  readonly expectedBytes: number;
  /** Decayed request rate times size, in bytes per second. */
  readonly demand: number;
  readonly engine: string;
  /** Labels that a backend must carry; left out: any backend will do. */
  readonly requires?: Readonly<Record<string, string>>;
}

/** Where the model is now. A copy that is being unloaded is no copy. */
export interface PlacedCopy {
  readonly backendId: string;
  readonly state: 'loading' | 'ready' | 'draining';
}

export interface PlacementOptions {
  /** Room left: a backend takes more while it uses at most (1 + this) times the fleet's average share. */
  readonly useSlack: number;
  /** Full: how many of the preference list compete by eviction price. */
  readonly choices: number;
  /** Full: a later choice must be cheaper than this share of an earlier one's price to win. */
  readonly priceHysteresis: number;
  /** Full: a backend competes while its assigned demand is at most (1 + this) times its fair share. */
  readonly demandSlack: number;
}

export const defaultPlacementOptions: PlacementOptions = Object.freeze({
  useSlack: 0.15,
  choices: 2,
  priceHysteresis: 0.75,
  demandSlack: 0.5,
});
