export interface DemandOptions {
  readonly halfLifeMs: number;
  /** Models remembered, loaded or not; the least asked for are forgotten first. */
  readonly maxEntries: number;
}

export declare class DemandTable {
  constructor(options: DemandOptions);
  record(key: string, nowMs: number): void;
  ratePerSecond(key: string, nowMs: number): number;
}
