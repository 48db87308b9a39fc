import { type ArrivalKind, arrivalsOf } from './arrivals.ts';
import type { Lane } from './lane.ts';
import { type Load, type Traffic, timeoutCheckMs } from './load.ts';
import { LoadMeter } from './load-window.ts';
import { abandonLate, newLane, openLanes } from './open-lanes.ts';
import { startPacer } from './pacer.ts';
import { seededRandom } from './random.ts';

interface OpenLoopOptions {
  readonly kind: ArrivalKind;
  readonly perSecond: number;
  readonly seed: number;
  /** Most connections that are opened: what is due beyond that waits, and its wait counts. */
  readonly maxConnections: number;
}

/** Opened before the first request; more follow as they are needed. */
const firstConnections = 8;

/**
 * Requests at a rate of their own, whatever became of those before. Each is timed from when it was due, so that a server
 * (or a generator) that falls behind shows in every request that it kept waiting: there is no coordinated omission.
 */
export async function startOpenLoop(traffic: Traffic, options: OpenLoopOptions): Promise<Load> {
  const loop = new OpenLoop(traffic, options);
  await loop.start();
  return loop;
}

class OpenLoop implements Load {
  readonly #traffic: Traffic;
  readonly #options: OpenLoopOptions;
  readonly #meter = new LoadMeter();
  readonly #events = {
    onSettled: (lane: Lane) => this.#meter.settled(lane),
    onFree: (lane: Lane) => {
      this.#idle.push(lane);
      this.#sendDue();
    },
  };
  readonly #gap: () => number;
  #lanes: Lane[] = [];
  #idle: Lane[] = [];
  #nextMs = Infinity;
  #stopPacer = () => {};
  #timer: NodeJS.Timeout | undefined;

  constructor(traffic: Traffic, options: OpenLoopOptions) {
    this.#traffic = traffic;
    this.#options = options;
    this.#gap = arrivalsOf(options.kind, options.perSecond, seededRandom(options.seed));
  }

  async start(): Promise<void> {
    const { maxConnections, ...arrivals } = this.#options;
    this.#lanes = await openLanes(this.#traffic.endpoint, Math.min(maxConnections, firstConnections), this.#events);
    this.#idle = [...this.#lanes];
    const pacer = startPacer(arrivals, () => this.#sendDue());
    this.#stopPacer = pacer.stop;
    this.#nextMs = pacer.startMs + this.#gap();
    this.#timer = setInterval(() => abandonLate(this.#lanes, this.#traffic.timeoutMs), timeoutCheckMs);
    this.#meter.cut();
  }

  cut() {
    // Drawing them all to count them would use them up: their mean distance tells.
    const lateMs = Math.max(0, performance.now() - this.#nextMs);
    return this.#meter.cut(Math.round((lateMs / 1_000) * this.#options.perSecond));
  }

  stop(): void {
    this.#nextMs = Infinity;
    clearInterval(this.#timer);
    this.#stopPacer();
    for (const lane of this.#lanes) lane.close();
  }

  #sendDue(): void {
    const { requests, pick } = this.#traffic;
    while (this.#nextMs <= performance.now()) {
      const lane = this.#idle.pop() ?? this.#another();
      if (lane === undefined) return;
      const dueMs = this.#nextMs;
      this.#nextMs += this.#gap();
      lane.send(requests[pick()]!, dueMs);
    }
  }

  #another(): Lane | undefined {
    if (this.#lanes.length >= this.#options.maxConnections) return undefined;
    const lane = newLane(this.#traffic.endpoint, this.#events);
    this.#lanes.push(lane);
    return lane;
  }
}
