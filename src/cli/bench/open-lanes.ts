import { GrpcLane } from './grpc-lane.ts';
import { HttpLane } from './http-lane.ts';
import type { Endpoint, Lane, LaneEvents } from './lane.ts';

export function newLane(endpoint: Endpoint, events: LaneEvents): Lane {
  return endpoint.protocol === 'grpc' ? new GrpcLane(endpoint, events) : new HttpLane(endpoint, events);
}

/** Rejects where the server cannot be reached; nothing stays open then. */
export async function openLanes(endpoint: Endpoint, count: number, events: LaneEvents): Promise<Lane[]> {
  const lanes = Array.from({ length: count }, () => newLane(endpoint, events));
  try {
    await Promise.all(lanes.map((lane) => lane.open()));
  } catch (fault) {
    for (const lane of lanes) lane.close();
    throw fault;
  }
  return lanes;
}

export function abandonLate(lanes: readonly Lane[], timeoutMs: number): void {
  const lateMs = performance.now() - timeoutMs;
  for (const lane of lanes) {
    if (lane.isBusy && lane.startedMs < lateMs) lane.abandon(`no answer within ${timeoutMs} ms`);
  }
}
