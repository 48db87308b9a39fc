import type { SkeinError } from '../../protocol/errors.ts';
import type { CopyFacts } from '../../protocol/link/messages.ts';
import type { BackendView } from './backend-view.ts';
import type { CopyView } from './copy-view.ts';
import { noBackend } from './hold-refusals.ts';
import type { ModelEntry } from './model-entry.ts';

/** A request that waits for a model to be ready. */
export interface HeldRequest {
  readonly deadlineMs: number;
  onReady(): void;
  onRefused(error: SkeinError): void;
}

/** One load that any number of requests wait for. */
export interface ColdStart {
  /** Of the files as they were when it began: they may change before it ends. */
  readonly key: string;
  readonly entry: ModelEntry;
  readonly version: number;
  readonly stamp: string;
  readonly held: Set<HeldRequest>;
  readonly startedMs: number;
  readyAtMs: number;
  /** Backends that could not take it in this attempt. */
  readonly refusedBy: Map<string, SkeinError>;
  /** Attempts in which every backend refused. */
  rounds: number;
  lastRefusal: SkeinError | undefined;
  /** Loads whose backend was lost before they were done. */
  lostLoads: number;
  /** Ends its turn to be loaded while no other suspect of the fleet is tried; undefined: it has none. */
  endTurn: (() => Promise<void>) | undefined;
  /** Somebody waits for it now, or did: it may displace others. */
  wanted: boolean;
  /** The backend that loads it now. */
  at: BackendView | undefined;
  readonly done: PromiseWithResolvers<void>;
}

export function keyOf(entry: ModelEntry, version: number): string {
  return `${entry.name}\n${version}\n${entry.stampOf(version)}`;
}

/** The router that decides about its copies counts them as load. */
export function tellHeld({ entry, version, at, held }: ColdStart): void {
  if (at === undefined) return;
  for (const copy of entry.activity?.copies ?? [])
    if (copy.backend === at && copy.facts.version === version) copy.tellHeld(held.size);
}

export function isDuplicate(entry: ModelEntry, { version, stamp }: CopyFacts, at: BackendView): boolean {
  return [...entry.active().copies].some(
    ({ facts, backend, isLeaving }) =>
      facts.version === version &&
      facts.stamp === stamp &&
      backend !== at &&
      backend.record.apart !== true &&
      backend.standing === 'up' &&
      !isLeaving &&
      (facts.phase === 'ready' || facts.phase === 'loading' || facts.phase === 'warming'),
  );
}

/** Where it is being loaded, one elsewhere of the same files; else one of the files that there are now. */
export function hasReadyCopy({ entry, version, stamp, at }: ColdStart): boolean {
  const wanted = at === undefined ? entry.stampOf(version) : stamp;
  return (entry.activity?.ready(entry, version) ?? []).some(
    ({ facts, backend }: CopyView) => facts.stamp === wanted && backend !== at,
  );
}

export function refusedLast(start: ColdStart): SkeinError {
  return start.lastRefusal ?? noBackend(start.entry);
}

/** Its backend knows what stands before it in the lane of loads; until it has said so, the time of the last load counts. */
export function expectedAtMs({ entry, version, at, readyAtMs }: ColdStart): number {
  for (const copy of entry.activity?.copies ?? []) {
    if (copy.backend === at && copy.facts.version === version && copy.readyAtMs !== undefined) return copy.readyAtMs;
  }
  return readyAtMs;
}
