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
  /** Taken by copies, those being loaded or queued for it with their expected size included. */
  readonly usedBytes: number;
  /**
   * What it would have to give up for one more copy, as value per byte: `evictionPrice` of backends/memory. 0 while it
   * has room; Infinity where nothing may be evicted.
   */
  readonly evictionPrice: number;
  /** Sum of `demand` over the models it holds. Moves slowly, so that it can bound what momentary memory cannot. */
  readonly assignedDemand: number;
  readonly state: BackendAvailability;
  readonly labels: Readonly<Record<string, string>>;
  /** Models have to require these as labels, or to tolerate them; left out: none. */
  readonly taints?: readonly string[];
  /** Further copies of a model go to other zones first; left out: the same for all. */
  readonly zone?: string;
}

export interface PlacementModel {
  /** The hash key: all versions of a model prefer the same backends. */
  readonly name: string;
  readonly version: number;
  /** Measured where it was loaded before, else estimated from its files. */
  readonly expectedBytes: number;
  /** Decayed request rate times size, in bytes per second; 0 while unknown. */
  readonly demand: number;
  readonly engine: string;
  /** Labels that a backend must carry; left out: any backend will do. */
  readonly requires?: Readonly<Record<string, string>>;
  /** Taints that it puts up with; left out: none but those it requires as labels. */
  readonly tolerates?: readonly string[];
}

/** Where the model is now. A copy that is being unloaded is no copy. */
export interface PlacedCopy {
  readonly backendId: string;
  readonly state: 'loading' | 'ready';
}

export interface PlacementOptions {
  /** Room left: a backend takes more while it uses at most (1 + this) times the fleet's average share. */
  readonly useSlack: number;
  /** Full: how many of the preference list compete by eviction price. */
  readonly choices: number;
  /** Full: a later choice wins only where its price is below this share of the earlier one's. */
  readonly priceHysteresis: number;
  /** Full: demand above (1 + this) times the fair share makes a backend dearer, in proportion. */
  readonly demandSlack: number;
  /** How many candidates `place` ranks: the first is used, the others are where to go when it fails. */
  readonly candidates: number;
}

/** `useSlack` from 0.1 to 0.25 and `choices` 2 or 3 keep nodes within bounds for few moves: see the hit-rate test. */
export const defaultPlacementOptions: PlacementOptions = Object.freeze({
  useSlack: 0.15,
  choices: 2,
  priceHysteresis: 0.75,
  demandSlack: 0.5,
  candidates: 3,
});
