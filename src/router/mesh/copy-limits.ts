import { type CopyLimits, noCopyLimits } from '../scaling/snapshot.ts';
import type { ModelEntry } from './model-entry.ts';

/** How many copies models may have, by what the operator and the catalogue say. */
export function copyLimits(maxIdleMs = 0): (entry: ModelEntry) => CopyLimits {
  const pinned = { ...noCopyLimits, pinned: true, maxIdleMs };
  const others = { ...noCopyLimits, maxIdleMs };
  return ({ isPinned, record }) => {
    const limits = isPinned ? pinned : others;
    if (record?.minCopies === undefined && record?.maxCopies === undefined) return limits;
    return { ...limits, minCopies: record.minCopies ?? 0, maxCopies: record.maxCopies ?? 0 };
  };
}
