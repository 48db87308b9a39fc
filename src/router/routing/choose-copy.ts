export interface CopyLoad {
  /** Requests that were sent to the copy and have not been answered, this router's own included. */
  readonly inFlight: number;
  /** Recent latency at about this load, as the backend reports it; 0 while unknown, which invites a first request. */
  readonly latencyMs: number;
}

export declare function chooseCopy(copies: readonly CopyLoad[], random: () => number): number;
