import type { EngineKind } from '../../fleet/repository/model-backend.ts';
import type { PlacementQuestion } from '../placement/place.ts';
import type { PlacedCopy } from '../placement/snapshot.ts';
import type { ModelEntry } from './model-entry.ts';

/** What placement is asked about a model: its size as far as known, how much it is asked for, where it is. */
export function questionOf(
  entry: ModelEntry,
  version: number,
  excluded: ReadonlySet<string>,
  meanBytes: number,
  nowMs: number,
): PlacementQuestion {
  const { activity, record } = entry;
  // A model that was never loaded is taken to be like the others: as nothing it would seem to fit anywhere.
  const expectedBytes = activity?.residentBytes || meanBytes;
  const copies: PlacedCopy[] = [];
  for (const { facts, backend, isGone } of activity?.copies ?? []) {
    if (isGone || facts.version !== version || facts.stamp !== entry.stampOf(version)) continue;
    if (facts.phase === 'ready') copies.push({ backendId: backend.record.id, state: 'ready' });
    else if (facts.phase === 'loading' || facts.phase === 'warming')
      copies.push({ backendId: backend.record.id, state: 'loading' });
  }
  return {
    model: {
      name: entry.name,
      version,
      expectedBytes,
      demand: (activity?.rate.perSecond(nowMs) ?? 0) * expectedBytes,
      engine: record?.engine ?? engineOf(entry),
      ...(record?.requires !== undefined && { requires: record.requires }),
      ...(record?.tolerates !== undefined && { tolerates: record.tolerates }),
    },
    copies,
    excluded,
  };
}

/** The kind of backend that runs it. */
export function engineOf({ repository }: ModelEntry): EngineKind {
  return repository?.engine ?? 'onnx';
}
