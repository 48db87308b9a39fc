/** What of a window is compared with the windows beside it. */
interface WindowFigures {
  readonly perSecond: number;
  readonly latencyUs: number;
}

/** How many windows in a row must agree. */
export const stableWindows = 3;

/**
 * perf_analyzer's rule: the last three windows agree when neither their rates nor their latencies are further apart than so
 * many percent of the smallest.
 */
export function isStable(windows: readonly WindowFigures[], withinPercent: number): boolean {
  if (windows.length < stableWindows) return false;
  const last = windows.slice(-stableWindows);
  return [last.map(({ perSecond }) => perSecond), last.map(({ latencyUs }) => latencyUs)].every((values) => {
    const [least, largest] = [Math.min(...values), Math.max(...values)];
    return least > 0 && largest <= least * (1 + withinPercent / 100);
  });
}
