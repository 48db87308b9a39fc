/** One loaded copy, as eviction weighs it. */
export interface EvictableCopy {
  readonly key: string;
  readonly residentBytes: number;
  /** What loading it again would take. */
  readonly loadMs: number;
  /** Decayed request rate: see demand.ts. */
  readonly ratePerSecond: number;
  readonly readySinceMs: number;
  /** Runs or queued requests: never evicted. */
  readonly inUse: boolean;
  readonly pinned: boolean;
}

export interface EvictionOptions {
  /** A copy stays at least this long after it became ready, unless a request waits. */
  readonly minimumStayMs: number;
}

export interface EvictionChoice {
  /** Cheapest first; together they free at least what was needed, or all that can be freed. */
  readonly victims: readonly string[];
  readonly freedBytes: number;
  /** 0 where the victims are enough. */
  readonly missingBytes: number;
}
