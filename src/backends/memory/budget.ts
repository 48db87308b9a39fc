/**
 * Memory in two parts (Salus, MLSys 2020): what copies hold for as long as they are loaded, and what runs take on top
 * while they last. Runs come and go, so only the largest that can come together are kept free, not all.
 */

/** What one copy takes, or is about to take. */
export interface CopyMemory {
  readonly residentBytes: number;
  /** Upper estimate of what one run takes on top, at the largest batch it may run. */
  readonly runPeakBytes: number;
  /** Runs of this copy at once. */
  readonly parallelRuns: number;
  /** Least share of the process's cores that one of its runs takes; several runs come together only where cores do. */
  readonly coresPerRun: number;
}

export interface MemoryBudget {
  /** Hard: what is loaded and what runs never take more together. */
  readonly limitBytes: number;
  /** Of the process: runs of so many cores together are under way at the worst moment, and their peaks are kept free. */
  readonly cores: number;
}

/** Copies on their way may hold this share of the budget together, however many cores could load. */
const comingShare = 1 / 8;

interface Peak {
  readonly bytesPerCore: number;
  readonly cores: number;
}

/**
 * Resident bytes of all copies, and the largest run peaks that can come together: those that take the most for a core
 * first, until the cores are used up, the last of them by its part. No set of runs that fits on the cores takes more.
 */
export function requiredBytes(copies: Iterable<CopyMemory>, cores: number): number {
  let residentBytes = 0;
  /** Descending; those behind the last core were dropped. */
  const peaks: Peak[] = [];
  for (const { residentBytes: bytes, runPeakBytes, parallelRuns, coresPerRun } of copies) {
    residentBytes += bytes;
    if (runPeakBytes === 0) continue;
    const share = Math.min(cores, coresPerRun);
    const peak = { bytesPerCore: runPeakBytes / share, cores: Math.min(cores, parallelRuns * share) };
    const at = peaks.findIndex((other) => other.bytesPerCore < peak.bytesPerCore);
    if (at < 0) peaks.push(peak);
    else peaks.splice(at, 0, peak);
    dropBeyond(peaks, cores);
  }
  let left = cores;
  for (const peak of peaks) {
    const used = Math.min(left, peak.cores);
    residentBytes += used * peak.bytesPerCore;
    left -= used;
  }
  return residentBytes;
}

function dropBeyond(peaks: Peak[], cores: number): void {
  let used = 0;
  for (let i = 0; i < peaks.length; i++) {
    if (used >= cores) peaks.length = i;
    else used += peaks[i]!.cores;
  }
}

/**
 * Bytes that must be freed before `incoming` may be loaded beside `copies` (those that load included); 0 = load it now;
 * Infinity = it is too large for the whole budget. An upper bound: a victim with a large run peak frees that too.
 */
export function needToFree(copies: readonly CopyMemory[], incoming: CopyMemory, budget: MemoryBudget): number {
  if (requiredBytes([incoming], budget.cores) > budget.limitBytes) return Infinity;
  return Math.max(0, requiredBytes([...copies, incoming], budget.cores) - budget.limitBytes);
}

/** A copy that was loaded and has not served yet what it was loaded for. */
export interface ComingCopy {
  readonly residentBytes: number;
  /** `unproven`: ready, with its first requests still on their way, queued or running. */
  readonly stage: 'loading' | 'unproven';
}

/**
 * Whether one more load may start beside the copies that are coming. Each of those holds memory that cannot be given up
 * and that a model in demand could have kept; a load that waits for its turn holds none. Measured by the hit-rate test
 * (17 places a backend), as the way gone from LRU to the best fixed set: 0.82 like this; without the bound 0.3 where 8
 * may load at once, and 0.4 where loads are quicker than runs. Nothing is lost by it: what has been loaded beyond what can run only
 * waits elsewhere. A load that is alone always starts.
 */
export function mayStartLoad(
  coming: readonly ComingCopy[],
  incomingBytes: number,
  lanes: number,
  limitBytes: number,
): boolean {
  if (coming.length === 0) return true;
  let bytes = incomingBytes;
  let loading = 0;
  for (const { residentBytes, stage } of coming) {
    bytes += residentBytes;
    if (stage === 'loading') loading += 1;
  }
  return loading < lanes && bytes <= comingShare * limitBytes;
}
