import type { Bar, ResultTable } from './bench-part.ts';
import { ratioOf, spreadOf } from './spread.ts';
import type { Turn, Turns } from './turns.ts';

/** Every contender with its spread. The CPU column is the one that is drawn. */
export function turnsTable(title: string, turns: Turns): ResultTable {
  const rows = [...turns].map(([name, own]) => ({
    name,
    cells: [
      figures(own, 'cpuUsPerRequest'),
      figures(own, 'perSecond'),
      figures(own, 'p50Ms'),
      figures(own, 'p99Ms'),
    ].map(spreadOf),
  }));
  return { title, columns: ['CPU us/request', 'requests/s', 'p50 ms', 'p99 ms'], rows, drawn: 'CPU us/request' };
}

export function figures(turns: readonly Turn[], figure: keyof Turn): number[] {
  return turns.map((turn) => turn[figure]);
}

/** A bar on a ratio of two contenders of the same turns; not measured where one of them is absent. */
export function ratioBar(
  turns: Turns,
  bar: Pick<Bar, 'what' | 'sense' | 'limit'>,
  ratio: { readonly of: string; readonly over: string; readonly figure: keyof Turn },
): Bar {
  const [ours, theirs] = [turns.get(ratio.of), turns.get(ratio.over)];
  const absent = ours === undefined ? ratio.of : ratio.over;
  if (ours === undefined || theirs === undefined)
    return { ...bar, unit: '', figure: { missing: `${absent} is absent` } };
  return { ...bar, unit: '', figure: ratioOf(figures(ours, ratio.figure), figures(theirs, ratio.figure)) };
}
