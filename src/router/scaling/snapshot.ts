/**
 * What the scaling decision sees at one tick: a frozen picture of the models that somebody asks for. Whoever keeps the
 * router's state builds it; nothing here changes it.
 */

/** What an operator wants of a model. */
export interface CopyLimits {
  /** Kept loaded whether anybody asks or not. */
  readonly minCopies: number;
  /** 0: as many as there are backends. */
  readonly maxCopies: number;
  /** Never evicted, so that one copy is kept once it is there. */
  readonly pinned: boolean;
  /** Its copies are given up after so long without a request; 0: only when memory is needed. */
  readonly maxIdleMs: number;
}

export const noCopyLimits: CopyLimits = Object.freeze({ minCopies: 0, maxCopies: 0, pinned: false, maxIdleMs: 0 });

export interface ScaledModel {
  readonly name: string;
  readonly readyCopies: number;
  /** Being loaded, for whatever reason. */
  readonly comingCopies: number;
  /** Runs that one copy has at once. */
  readonly slotsPerCopy: number;
  /** Requests in its copies, queued or running, whoever sent them. */
  readonly inFlight: number;
  /** Requests that routers hold because no copy is ready: this one, and the others as backends tell of them. */
  readonly held: number;
  /** Requests that this router was sent since the tick before. */
  readonly arrivals: number;
  readonly limits: CopyLimits;
}

export interface ScalingSnapshot {
  /** Those with requests, those with limits, and those with more copies than one; the others need no decision. */
  readonly models: readonly ScaledModel[];
  /** Backends that take copies: a model never has two on one. */
  readonly backends: number;
  /** Hosts that these run on: backends of one host share its cores, and a second copy there would bring none. */
  readonly hosts: number;
  /** Routers that share the requests about evenly: this one sees its part of the arrivals. */
  readonly routers: number;
}

/** Why a model should have so many copies. */
export type ScalingMode =
  /** Nobody asked for it within `maxIdleMs`. */
  | 'idle'
  /** By the load of the stable window. */
  | 'stable'
  /** By the load of the panic window, and never down. */
  | 'panic'
  /** The rate jumped: one more copy is loaded before the first is overwhelmed. */
  | 'burst';

export interface CopyDecision {
  readonly model: string;
  readonly wanted: number;
  readonly mode: ScalingMode;
  /** More load than the copies are meant for: a further copy may displace what other models hold. */
  readonly urgent: boolean;
  /** Mean requests in flight or held over the stable and the panic window. */
  readonly stableLoad: number;
  readonly panicLoad: number;
  /** Requests in flight that one copy is meant for. */
  readonly target: number;
}

/** One sentence for people, as `explain` prints it. */
export function describeDecision(decision: CopyDecision): string {
  const { wanted, mode, stableLoad, panicLoad, target } = decision;
  const load = `${stableLoad.toFixed(1)} requests in flight, ${panicLoad.toFixed(1)} in the last second, ${target.toFixed(1)} meant for one copy`;
  return `wants ${wanted === 1 ? '1 copy' : `${wanted} copies`} (${mode}: ${load})`;
}
