/** A wish for the cores of one run. */
export interface CoreTicket {
  /** Copies take turns; the tickets of one copy are served in order. */
  readonly copy: string;
  readonly cores: number;
  /** Part of an instance count that the user wrote: granted at once, even where no core is free. */
  readonly overdraw: boolean;
}

export declare class CoreTokens<T extends CoreTicket> {
  constructor(cores: number);
  /** True: granted now. False: queued until a release grants it. */
  acquire(ticket: T): boolean;
  /** Gives the cores back; the tickets that this grants, in order. */
  release(ticket: T): T[];
  /** True where the ticket was still queued. */
  cancel(ticket: T): boolean;
}

/** Loads at once. */
export declare function loadLaneWidth(cores: number): number;
