import { type PlacementQuestion, place } from '../placement/place.ts';
import { defaultPlacementOptions, type PlacementBackend, type PlacementOptions } from '../placement/snapshot.ts';
import type { CopyDecision } from './snapshot.ts';

type CopyChange =
  /** `urgent`: it may displace what other models hold, as a load for a waiting request may. */
  | { readonly kind: 'load'; readonly backendId: string; readonly urgent: boolean }
  | { readonly kind: 'unload'; readonly backendId: string };

/**
 * What to load and unload so that a model has the copies that it should. Copies stay where they are; further ones go where
 * placement would put them; too many are given up from the end of the preference list, and only once nothing is being
 * loaded, so that a duplicate of another router's load is trimmed and a move is not undone half-way. Copies of backends
 * that drain or do not answer count for nothing: what they held is loaded elsewhere and not unloaded here.
 */
export function copyChanges(
  backends: readonly PlacementBackend[],
  question: PlacementQuestion,
  decision: Pick<CopyDecision, 'wanted' | 'urgent'>,
  options: PlacementOptions = defaultPlacementOptions,
): CopyChange[] {
  const { wanted, urgent } = decision;
  const { candidates } = place(backends, question, { ...options, candidates: Math.max(1, wanted) });
  const staying = candidates.filter(({ verdict }) => verdict.kind === 'keep');
  if (staying.length < wanted) {
    return candidates
      .filter(({ verdict }) => verdict.kind !== 'keep')
      .slice(0, wanted - staying.length)
      .map(({ backendId }) => ({ kind: 'load', backendId, urgent }));
  }
  const isComing = staying.some(({ verdict }) => verdict.kind === 'keep' && verdict.copy === 'loading');
  if (isComing) return [];
  return staying.slice(wanted).map(({ backendId }) => ({ kind: 'unload', backendId }));
}
