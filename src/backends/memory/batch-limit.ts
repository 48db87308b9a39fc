/**
 * A run may take this share of the budget on top of what copies hold. What an allocator took for a run it keeps for the
 * next, so that memory is lost to copies for good.
 */
const runShare = 1 / 16;

/**
 * Largest batch, of at most `maxRows`, whose run stays within its share of the budget; 1 at the least. A request that
 * brings more rows than this runs by itself: only what is joined is limited.
 */
export function batchLimit(maxRows: number, budgetBytes: number, runPeakBytes: (rows: number) => number): number {
  let rows = maxRows;
  while (rows > 1 && runPeakBytes(rows) > runLimitBytes(budgetBytes)) rows--;
  return rows;
}

/** What the runs of one copy may take together. */
export function runLimitBytes(budgetBytes: number): number {
  return runShare * budgetBytes;
}
