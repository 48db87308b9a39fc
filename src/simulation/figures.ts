/** What a simulation found. Times in milliseconds of virtual time, shares from 0 to 1. */
export interface SimulationFigures {
  readonly virtualSeconds: number;
  readonly requests: number;
  readonly answered: number;
  readonly refused: number;
  readonly retries: number;
  readonly hitRate: number;
  readonly references: References;
  /** Hit rate of each twentieth of the requests, in order. */
  readonly course: readonly number[];
  readonly latency: Quantiles;
  /** Of requests that waited for a load. */
  readonly coldLatency: Quantiles;
  readonly loads: { readonly request: number; readonly scale: number; readonly move: number };
  /** Loads for requests of models that another node held or was loading: routers did not agree. */
  readonly duplicateLoads: number;
  readonly trims: number;
  readonly evictions: number;
  /** Most that the copies of one node took together. */
  readonly mostUsedBytes: number;
  readonly loadsByNode: Spread;
  readonly requestsByNode: Spread;
  readonly events: readonly EventFigures[];
}

/** Hit rates of caches of the same memory on the same requests, and how far from the first to the second it got. */
interface References {
  readonly lru: number;
  readonly bestFixed: number;
  readonly way: number;
}

export interface Quantiles {
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** Over the nodes that were there from beginning to end. */
export interface Spread {
  readonly min: number;
  readonly max: number;
}

/** What a node's coming or going made of it. */
export interface EventFigures {
  readonly kind: 'join' | 'drain' | 'kill';
  readonly node: string;
  readonly atMs: number;
  /** Copies that the node held when it began to go, or that are its fair share when it came. */
  readonly copies: number;
  readonly moves: number;
  /** Until the last move; 0 where there was none. */
  readonly tookMs: number;
}
