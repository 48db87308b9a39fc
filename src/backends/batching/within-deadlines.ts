import type { BatchItem } from './item.ts';
import type { LatencyModel } from './latency-model.ts';

/**
 * Of the items that would share the next run, those that shall: the most that are answered within their deadlines.
 *
 * Where a full run ends too late for some, either the first few go alone, if the others still make it after them; or, in
 * an overload, those that a full run would fail are passed over and expire (early drop, as in Nexus, SOSP 2019): to serve
 * them one by one would make everybody behind them late. `items` is not empty, and neither is the answer.
 */
export function withinDeadlines<I extends BatchItem>(items: I[], nowMs: number, latency: LatencyModel): I[] {
  let rows = 0;
  let earliestMs = Infinity;
  for (const item of items) {
    rows += item.rows;
    earliestMs = Math.min(earliestMs, item.deadlineMs);
  }
  if (items.length === 1 || earliestMs === Infinity || nowMs + latency.runMs(rows) <= earliestMs) return items;
  const first = longestTimelyPrefix(items, nowMs, latency);
  const firstEndMs = nowMs + latency.runMs(rowsOf(first));
  const fullEndMs = nowMs + latency.runMs(rows);
  const inTime = items.filter((item) => item.deadlineMs >= fullEndMs);
  const served = first.filter((item) => item.deadlineMs >= firstEndMs);
  const others = items.slice(first.length).filter((item) => item.deadlineMs >= fullEndMs);
  const othersEndMs = firstEndMs + latency.runMs(rowsOf(others));
  const allFollow = served.length > 0 && others.every((item) => item.deadlineMs >= othersEndMs);
  return allFollow || served.length >= inTime.length ? first : inTime;
}

/** At least the first item, which is as good as any where none can be in time. */
function longestTimelyPrefix<I extends BatchItem>(items: readonly I[], nowMs: number, latency: LatencyModel): I[] {
  let rows = 0;
  let earliestMs = Infinity;
  let count = 0;
  for (const item of items) {
    rows += item.rows;
    earliestMs = Math.min(earliestMs, item.deadlineMs);
    if (count > 0 && nowMs + latency.runMs(rows) > earliestMs) break;
    count += 1;
  }
  return items.slice(0, count);
}

function rowsOf(items: readonly BatchItem[]): number {
  return items.reduce((sum, item) => sum + item.rows, 0);
}
