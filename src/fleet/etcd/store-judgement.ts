/** Whether the store is still the one that is known: decided from what is remembered and what is found, without any IO. */

interface KnownStore {
  /** Names the fleet; drawn when the store was first used. */
  readonly fleetId: string;
  readonly revision: number;
  readonly entries: number;
}

export interface StoreMarker {
  readonly fleetId: string;
  /** Fleets that this one takes the place of, by an operator's decision. */
  readonly replaces: readonly string[];
}

type StoreJudgement =
  /** Nothing was known and nothing is there: a fleet begins. */
  | { readonly kind: 'begin' }
  /** Read everything: nothing was known, or it cannot be followed from where it was known. */
  | { readonly kind: 'reload' }
  /** Go on from the known revision. */
  | { readonly kind: 'resume' }
  /** What was known is not there any more: keep it, and ask an operator. */
  | { readonly kind: 'emptied'; readonly reason: string };

export function judgeStore(
  known: KnownStore | undefined,
  found: { readonly marker: StoreMarker | undefined; readonly revision: number },
): StoreJudgement {
  const { marker, revision } = found;
  if (known === undefined) return { kind: marker === undefined ? 'begin' : 'reload' };
  if (marker === undefined) {
    if (known.entries === 0) return { kind: 'begin' };
    return { kind: 'emptied', reason: `it held fleet ${known.fleetId} and holds none now` };
  }
  if (marker.fleetId !== known.fleetId) {
    if (known.entries === 0 || marker.replaces.includes(known.fleetId)) return { kind: 'reload' };
    return { kind: 'emptied', reason: `it held fleet ${known.fleetId} and holds fleet ${marker.fleetId} now` };
  }
  // An older revision of the same fleet was restored from a copy.
  return { kind: revision < known.revision ? 'reload' : 'resume' };
}

/** Fewer entries than these may well go at once. */
const manyEntries = 4;

/** Whether a change from so many entries to so many looks like a loss rather than like somebody's wish. */
export function looksEmptied(before: number, after: number): boolean {
  return before >= manyEntries && after < before / 2;
}
