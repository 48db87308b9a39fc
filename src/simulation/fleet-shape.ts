import type { PlacementOptions } from '../router/placement/snapshot.ts';
import type { HoldLimits } from '../router/routing/hold.ts';

/** The fleet that is simulated. What it decides is the code of router and backends; what takes time is figures of this. */
export interface FleetShape {
  readonly nodes: number;
  readonly routers: number;
  /** Copies of mean size that one node has memory for. */
  readonly places: number;
  readonly meanBytes: number;
  /** Spread of sizes, and of the load times with them: deviation of the natural logarithm. 0: all alike. */
  readonly sizeSpread: number;
  /** Of a model of mean size. */
  readonly loadMs: number;
  /** How much the load times of one model differ by chance: deviation of the natural logarithm. */
  readonly loadSpread: number;
  readonly runMs: number;
  /** Runs at once in one node. */
  readonly runSlots: number;
  readonly loadLanes: number;
  /** One way between a router and a node. */
  readonly linkMs: number;
  /** The views of routers are so far apart: one hears at once, the last one so much later. */
  readonly skewMs: number;
  /** Requests that are under way at once, each sent when the one before is answered; 0: they come when the trace says. */
  readonly clients: number;
  readonly timeoutMs: number;
  readonly hold: HoldLimits;
  readonly placement: PlacementOptions;
  /** Whether copies follow load, and whether newcomers are given their share. */
  readonly scales: boolean;
  readonly rebalances: boolean;
  readonly events: readonly FleetEvent[];
  /** Figures begin here: what comes before fills the caches. */
  readonly warmMs: number;
  readonly seed: number;
}

/** `kill`: gone with all it held. `drain`: what it holds is loaded elsewhere first. `join`: an empty node more. */
export interface FleetEvent {
  readonly kind: 'join' | 'drain' | 'kill';
  readonly atMs: number;
  /** A node's name; left out: the first that is there. */
  readonly node?: string;
}
