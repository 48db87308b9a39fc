import { HttpLane } from './http-lane.ts';
import { type Load, type Traffic, timeoutCheckMs } from './load.ts';
import { LoadMeter } from './load-window.ts';

/**
 * So many connections, each sending its next request when its last one is answered. It finds what a server can do;
 * it does not show what users meet, because a slow server is asked less.
 */
export async function startClosedLoop(traffic: Traffic, connections: number): Promise<Load> {
  const meter = new LoadMeter();
  const { requests, pick } = traffic;
  const sendNext = (lane: HttpLane) => {
    const kind = pick();
    lane.send(requests[kind]!, kind, performance.now());
  };
  const events = { onSettled: (lane: HttpLane) => meter.settled(lane), onFree: sendNext };
  const lanes = await openLanes(traffic, connections, events);
  const timer = setInterval(() => abandonLate(lanes, traffic.timeoutMs), timeoutCheckMs);
  meter.cut();
  for (const lane of lanes) sendNext(lane);
  return {
    cut: () => meter.cut(),
    stop: () => {
      clearInterval(timer);
      for (const lane of lanes) lane.close();
    },
  };
}

/** Rejects where the server cannot be reached; nothing stays open then. */
export async function openLanes(
  { endpoint }: Traffic,
  count: number,
  events: ConstructorParameters<typeof HttpLane>[1],
): Promise<HttpLane[]> {
  const lanes = Array.from({ length: count }, () => new HttpLane(endpoint, events));
  try {
    await Promise.all(lanes.map((lane) => lane.open()));
  } catch (fault) {
    for (const lane of lanes) lane.close();
    throw fault;
  }
  return lanes;
}

export function abandonLate(lanes: readonly HttpLane[], timeoutMs: number): void {
  const lateMs = performance.now() - timeoutMs;
  for (const lane of lanes) {
    if (lane.isBusy && lane.startedMs < lateMs) lane.abandon(`no answer within ${timeoutMs} ms`);
  }
}
