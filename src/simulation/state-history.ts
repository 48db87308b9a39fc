import type { BackendAvailability, PlacementBackend } from '../router/placement/snapshot.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** What a node's state says when it is sent. */
interface NodeFigures {
  readonly id: string;
  readonly state: BackendAvailability;
  readonly usableBytes: number;
  readonly usedBytes: number;
  readonly assignedDemand: number;
  /** Worked out when somebody asks: few do, and it costs a sort. */
  readonly price: () => number;
}

/** States go out at once after a change, then at most this often, as in state-feed.ts. */
const minGapMs = 100;
/** More than any view lags behind. */
const keptStates = 16;

/** What a node has told, and when: each router has heard of it so far. */
export class StateHistory {
  readonly #clock: VirtualClock;
  readonly #look: () => NodeFigures;
  readonly #states: { readonly atMs: number; readonly state: PlacementBackend }[] = [];
  #sentAtMs = -Infinity;
  #dueAtMs = -Infinity;

  constructor(clock: VirtualClock, look: () => NodeFigures) {
    this.#clock = clock;
    this.#look = look;
  }

  /** Something changed; answers when routers that hear at once are told of it. */
  touch(): number {
    const { nowMs } = this.#clock;
    if (this.#dueAtMs >= nowMs && this.#dueAtMs > this.#sentAtMs) return this.#dueAtMs;
    const dueAtMs = Math.max(nowMs, this.#sentAtMs + minGapMs);
    this.#dueAtMs = dueAtMs;
    this.#clock.at(dueAtMs, () => {
      this.#sentAtMs = dueAtMs;
      this.#states.push({ atMs: dueAtMs, state: new ToldState(this.#look()) });
      if (this.#states.length > keptStates) this.#states.shift();
    });
    return dueAtMs;
  }

  /** As known to who hears everything so much later; undefined: nothing yet. */
  seenAt(nowMs: number, lateMs: number): PlacementBackend | undefined {
    for (let at = this.#states.length - 1; at >= 0; at--) {
      const { atMs, state } = this.#states[at]!;
      if (atMs + lateMs <= nowMs) return state;
    }
    return undefined;
  }
}

class ToldState implements PlacementBackend {
  readonly id: string;
  readonly state: BackendAvailability;
  readonly engines = onnx;
  readonly labels = none;
  readonly usableBytes: number;
  readonly usedBytes: number;
  readonly assignedDemand: number;
  readonly #look: () => number;
  #price: number | undefined;

  constructor({ id, state, usableBytes, usedBytes, assignedDemand, price }: NodeFigures) {
    this.id = id;
    this.state = state;
    this.usableBytes = usableBytes;
    this.usedBytes = usedBytes;
    this.assignedDemand = assignedDemand;
    this.#look = price;
  }

  get evictionPrice(): number {
    this.#price ??= this.#look();
    return this.#price;
  }
}

const onnx: readonly string[] = ['onnx'];
const none: Readonly<Record<string, string>> = {};
