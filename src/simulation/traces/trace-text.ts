import { minuteTrace } from './minute-trace.ts';
import type { Arrival, Trace } from './trace.ts';

/** A trace in a text, with what is wrong with it where it is none. */
type ReadTrace = { readonly trace: Trace } | { readonly fault: string };

export const traceForm =
  "the columns of Azure Functions' invocation counts (HashOwner,HashApp,HashFunction,Trigger,1,2,…), or lines of 'MILLISECONDS,MODEL'";

/** Reads a recorded trace; `seed` spreads counts over their minutes. */
export function readTrace(text: string, seed: number): ReadTrace {
  const lines = text.split('\n').map((line) => line.trim());
  const heading = lines[0]?.split(',') ?? [];
  const rows = lines.filter((line) => line !== '');
  if (rows.length === 0) return { fault: 'it is empty' };
  const nameAt = heading.indexOf('HashFunction');
  return nameAt < 0 ? readLines(rows) : readAzure(heading, nameAt, rows.slice(1), seed);
}

function readAzure(heading: readonly string[], nameAt: number, rows: readonly string[], seed: number): ReadTrace {
  const firstAt = heading.indexOf('1');
  if (firstAt < 0) return { fault: "it has a column HashFunction and none called '1' for the first minute" };
  const names: string[] = [];
  const counts: Uint32Array[] = [];
  for (const [at, row] of rows.entries()) {
    const cells = row.split(',');
    const minutes = Uint32Array.from(cells.slice(firstAt), Number);
    const isWhole = cells.length === heading.length && cells.slice(firstAt).every((cell) => /^\d+$/.test(cell));
    if (!isWhole) return { fault: `line ${at + 2} has not a whole number for each minute of the heading` };
    names.push(cells[nameAt]!);
    counts.push(minutes);
  }
  return names.length === 0
    ? { fault: 'it has a heading and no functions' }
    : { trace: minuteTrace(names, counts, seed) };
}

function readLines(rows: readonly string[]): ReadTrace {
  const positions = new Map<string, number>();
  const arrivals: Arrival[] = [];
  for (const [at, row] of rows.entries()) {
    const comma = row.indexOf(',');
    const atMs = Number(row.slice(0, comma));
    const name = row.slice(comma + 1);
    if (comma < 1 || !(atMs >= 0) || name === '') return { fault: `line ${at + 1} is '${row.slice(0, 60)}'` };
    if (!positions.has(name)) positions.set(name, positions.size);
    arrivals.push({ atMs, model: positions.get(name)! });
  }
  arrivals.sort((a, b) => a.atMs - b.atMs);
  return { trace: { models: [...positions.keys()], arrivals: () => arrivals } };
}
