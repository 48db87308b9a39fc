import type { Lane } from './lane.ts';
import { type Load, type Traffic, timeoutCheckMs } from './load.ts';
import { LoadMeter } from './load-window.ts';
import { abandonLate, openLanes } from './open-lanes.ts';

/**
 * So many connections, each sending its next request when its last one is answered. It finds what a server can do;
 * it does not show what users meet, because a slow server is asked less.
 */
export async function startClosedLoop(traffic: Traffic, connections: number): Promise<Load> {
  const meter = new LoadMeter();
  const { requests, pick } = traffic;
  const sendNext = (lane: Lane) => lane.send(requests[pick()]!, performance.now());
  const events = { onSettled: (lane: Lane) => meter.settled(lane), onFree: sendNext };
  const lanes = await openLanes(traffic.endpoint, connections, events);
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
