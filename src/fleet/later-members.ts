import type { CatalogueEntry, ModelRecord, RouteRecord, StoredEntry } from './catalogue-entry.ts';

/** Members of a stored entry that this version does not know: a newer one's, which it may not lose by a change made here. */
type LaterMembers = NonNullable<StoredEntry['later']>;

const known: Readonly<Record<keyof ModelRecord | keyof RouteRecord, true>> = {
  kind: true,
  name: true,
  path: true,
  source: true,
  versions: true,
  stamps: true,
  engine: true,
  changedAtMs: true,
  labels: true,
  requires: true,
  tolerates: true,
  pinned: true,
  unloaded: true,
  minCopies: true,
  maxCopies: true,
  targets: true,
};

/** Undefined where there are none, which is as good as always. */
export function laterMembers(stored: object): LaterMembers | undefined {
  const later = Object.entries(stored).filter(([name]) => !Object.hasOwn(known, name));
  return later.length === 0 ? undefined : Object.fromEntries(later);
}

/** What is written in the place of `before`. A model that becomes a route is another thing of the same name. */
export function withLater(entry: CatalogueEntry, before: StoredEntry | undefined): CatalogueEntry & LaterMembers {
  return before?.entry.kind === entry.kind ? { ...before.later, ...entry } : { ...entry };
}
