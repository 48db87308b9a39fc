/**
 * Which copies to give up for memory that is needed. The value of a copy is what it saves per byte it holds:
 *
 *   value = request rate * load time / resident bytes        (milliseconds of loading saved per second and byte)
 *
 * and the copies of least value go first: Greedy-Dual-Size-Frequency (Cherkasova 1998; FaasCache, ASPLOS 2021) without
 * its clock. The clock ages the frequencies of a cache that forgets what it evicts; here they decay by themselves and
 * outlive the copy (demand.ts), and adding it brings a share of LRU back. On the trace of the hit-rate test (300 models
 * for 34 places) the way from LRU to the best fixed set is gone to 0.51 with a clock and to 0.82 without.
 */

/** One loaded copy, as eviction weighs it. */
export interface EvictableCopy {
  readonly key: string;
  readonly residentBytes: number;
  /** What loading it again would take. */
  readonly loadMs: number;
  /** Of demand.ts. */
  readonly ratePerSecond: number;
  readonly readySinceMs: number;
  /** Has answered something since it became ready; until then it is `unproven` to budget.ts. */
  readonly wasUsed: boolean;
  /** Runs, or has requests queued: never evicted. */
  readonly inUse: boolean;
  /** Wanted by the user: never evicted. */
  readonly pinned: boolean;
}

interface EvictionOptions {
  /** A copy stays at least this long after it became ready, unless a request waits. */
  readonly minimumStayMs: number;
  /**
   * A copy that nobody has used yet stays this long even when a request waits: the requests that it was loaded for are on
   * their way from the router. Without it two models could evict each other for ever, each before its first run.
   */
  readonly firstUseMs: number;
}

export const defaultEvictionOptions: EvictionOptions = Object.freeze({ minimumStayMs: 30_000, firstUseMs: 500 });

interface RoomWanted {
  readonly neededBytes: number;
  /** `request`: somebody waits for it now. `background`: a preload, a further copy, a move. */
  readonly for: 'request' | 'background';
  /** Background only: value per byte of what would come; it never displaces what is worth more. Left out: Infinity. */
  readonly incomingValue?: number;
}

interface EvictionChoice {
  /** Least value first; together they free at least what is needed, or all that may be freed. */
  readonly victims: readonly EvictableCopy[];
  readonly freedBytes: number;
  /** 0 where the victims are enough. Else it is worth waiting for copies that are in use, or too young. */
  readonly missingBytes: number;
}

/** Never chooses a copy in use, and no more copies than are needed. */
export function chooseVictims(
  copies: readonly EvictableCopy[],
  wanted: RoomWanted,
  nowMs: number,
  options: EvictionOptions = defaultEvictionOptions,
): EvictionChoice {
  if (wanted.neededBytes <= 0) return { victims: [], freedBytes: 0, missingBytes: 0 };
  const byValue = copies.filter((copy) => mayGo(copy, wanted, nowMs, options)).sort(leastValueFirst);
  const taken: EvictableCopy[] = [];
  let freedBytes = 0;
  for (const copy of byValue) {
    if (freedBytes >= wanted.neededBytes) break;
    taken.push(copy);
    freedBytes += copy.residentBytes;
  }
  // A large copy taken last may make small ones before it needless; the most valuable of them are spared first.
  const victims: EvictableCopy[] = [];
  for (const copy of taken.reverse()) {
    if (freedBytes - copy.residentBytes >= wanted.neededBytes) freedBytes -= copy.residentBytes;
    else victims.push(copy);
  }
  return { victims: victims.reverse(), freedBytes, missingBytes: Math.max(0, wanted.neededBytes - freedBytes) };
}

/**
 * What room for `neededBytes` would cost here: the highest value among the copies that would go. 0 where nothing has to;
 * Infinity where there is not so much to free. The loads that are queued count as needed, so that the price of a busy
 * backend rises. Copies in use count like others: they are idle in a moment, and a price that jumped with every request
 * would move models about.
 */
export function evictionPrice(copies: readonly EvictableCopy[], neededBytes: number): number {
  if (neededBytes <= 0) return 0;
  let freedBytes = 0;
  for (const copy of copies.filter(({ pinned }) => !pinned).sort(leastValueFirst)) {
    freedBytes += copy.residentBytes;
    if (freedBytes >= neededBytes) return valuePerByte(copy);
  }
  return Infinity;
}

export function valuePerByte({ ratePerSecond, loadMs, residentBytes }: EvictableCopy): number {
  return (ratePerSecond * loadMs) / Math.max(1, residentBytes);
}

function mayGo(copy: EvictableCopy, wanted: RoomWanted, nowMs: number, options: EvictionOptions): boolean {
  if (copy.inUse || copy.pinned) return false;
  const ageMs = nowMs - copy.readySinceMs;
  if (!copy.wasUsed && ageMs < options.firstUseMs) return false;
  if (wanted.for === 'request') return true;
  return ageMs >= options.minimumStayMs && valuePerByte(copy) < (wanted.incomingValue ?? Infinity);
}

/** Equal values, nobody asked for either: the one that came first. Keys last, so that the choice is the same every time. */
function leastValueFirst(a: EvictableCopy, b: EvictableCopy): number {
  return valuePerByte(a) - valuePerByte(b) || a.readySinceMs - b.readySinceMs || (a.key < b.key ? -1 : 1);
}
