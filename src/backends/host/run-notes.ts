import type { RunCost } from '../batching/run-costs.ts';

/** Raise when the meaning of the figures changes: those of another version are not read. */
const formatVersion = 1;

const mostCosts = 512;

/** What was learned of a model's runs, as it is kept between loads. */
export function formatRunNotes(costs: readonly RunCost[]): string {
  const rows = costs.map(({ threads, slots, rows: size, ms, runs }) => [threads, slots, size, ms, runs]);
  return JSON.stringify({ version: formatVersion, costs: rows });
}

/** Undefined for what was not written by this version, or is damaged. */
export function parseRunNotes(text: string): RunCost[] | undefined {
  let notes: { version?: unknown; costs?: unknown };
  try {
    notes = JSON.parse(text) as typeof notes;
  } catch {
    return undefined;
  }
  if (notes === null || typeof notes !== 'object' || notes.version !== formatVersion) return undefined;
  if (!Array.isArray(notes.costs) || notes.costs.length > mostCosts) return undefined;
  const found: RunCost[] = [];
  for (const row of notes.costs as unknown[]) {
    if (!Array.isArray(row) || row.length !== 5) return undefined;
    const [threads, slots, rows, ms, runs] = row as number[];
    const isSane = [threads, slots, rows, runs].every((count) => Number.isInteger(count) && count! >= 1);
    if (!isSane || !Number.isFinite(ms) || ms! <= 0) return undefined;
    found.push({ threads: threads!, slots: slots!, rows: rows!, ms: ms!, runs: runs! });
  }
  return found;
}
