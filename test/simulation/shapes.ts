import { defaultPlacementOptions } from '../../src/router/placement/snapshot.ts';
import type { FleetShape } from '../../src/simulation/fleet-shape.ts';

/** Three nodes of a hundred places each, one router, 16 clients: what differs is given. */
export function fleetShape(changes: Partial<FleetShape> = {}): FleetShape {
  return {
    nodes: 3,
    routers: 1,
    places: 100,
    meanBytes: 14e6,
    sizeSpread: 0,
    loadMs: 30,
    loadSpread: 0,
    runMs: 8,
    runSlots: 2,
    loadLanes: 1,
    linkMs: 1,
    skewMs: 0,
    clients: 0,
    timeoutMs: 30_000,
    hold: { maxPerModel: 512, maxTotal: 4_096, maxHoldMs: 60_000 },
    placement: defaultPlacementOptions,
    scales: true,
    rebalances: true,
    events: [],
    warmMs: 0,
    seed: 1,
    ...changes,
  };
}
