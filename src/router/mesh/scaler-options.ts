import { ownerOf } from '../scaling/model-owner.ts';
import { noCopyLimits } from '../scaling/snapshot.ts';
import type { ScalerOptions } from './copy-scaler.ts';
import type { ModelEntry } from './model-entry.ts';

interface ScalerFacts {
  readonly routers?: { readonly self: string; readonly all: () => readonly string[] };
  readonly maxIdleMs?: number;
  readonly log: ScalerOptions['log'];
}

/** How many copies models may have, by what the operator and the catalogue say. */
export function scalerOptions({ routers, maxIdleMs = 0, log }: ScalerFacts): ScalerOptions {
  const [pinned, others] = [true, false].map((isPinned) => ({ ...noCopyLimits, pinned: isPinned, maxIdleMs }));
  return {
    self: routers?.self ?? '',
    routers: routers?.all ?? (() => []),
    limitsOf: ({ isPinned, record }) => {
      const limits = isPinned ? pinned! : others!;
      if (record?.minCopies === undefined && record?.maxCopies === undefined) return limits;
      return { ...limits, minCopies: record.minCopies ?? 0, maxCopies: record.maxCopies ?? 0 };
    },
    log,
  };
}

/** Where the fleet has one router, everything is its own business. */
export function isOwner({ name }: ModelEntry, { routers }: ScalerFacts): boolean {
  const all = routers?.all() ?? [];
  return all.length < 2 || ownerOf(name, all) === routers!.self;
}
