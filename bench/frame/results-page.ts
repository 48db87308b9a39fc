import { type Bar, type BenchPart, type ResultTable, verdictOf } from './bench-part.ts';
import { figureText, spreadText } from './figure-text.ts';
import type { PartRecord } from './results-store.ts';

export interface MeasuredPart {
  readonly name: string;
  readonly part: BenchPart;
  /** Undefined: never measured. */
  readonly record: PartRecord | undefined;
}

/** bench/RESULTS.md: the bars first, each with its figure and verdict, then every part with all its contenders. */
export function resultsPage(parts: readonly MeasuredPart[]): string {
  return `# Results

Written by \`npm run bench\`; a part alone is measured by \`npm run bench PART\`. Contenders of a part take turns in one
run; figures are medians of the rounds, with the least and the largest in brackets, and ratios are taken round by
round. Servers and load generator share the cores: compare rows, not machines.

${barsTable(parts)}

Parts without a bar of their own: ${parts
    .filter(({ record }) => record === undefined || record.bars.length === 0)
    .map(({ name }) => `\`${name}\``)
    .join(', ')}.

![The bars, and what the contenders cost](results.svg)

${parts.map(section).join('\n\n')}
`;
}

function barsTable(parts: readonly MeasuredPart[]): string {
  const rows = parts.flatMap(({ name, record }) => (record?.bars ?? []).map((bar) => barRow(name, bar)));
  return markdownTable(['part', 'what', 'bar', 'figure', 'verdict'], rows);
}

function barRow(name: string, bar: Bar): string[] {
  const figure = 'missing' in bar.figure ? bar.figure.missing : `${spreadText(bar.figure)}${unit(bar)}`;
  return [`[${name}](#${name})`, bar.what, `${bar.sense} ${figureText(bar.limit)}${unit(bar)}`, figure, verdictOf(bar)];
}

function unit(bar: Bar): string {
  return bar.unit === '' ? '' : ` ${bar.unit}`;
}

function section({ name, part, record }: MeasuredPart): string {
  const lines = [`## ${name}`, `${part.title}. ${part.method}`];
  if (record === undefined) return [...lines, 'Not measured yet.'].join('\n\n');
  const { date, machine, versions } = record.measured;
  lines.push(
    `${date}, ${machine}; ${versions}. ${record.rounds} rounds of ${record.seconds} s, ${Math.round(record.tookSeconds)} s in all.`,
    ...record.tables.map(tableText),
    ...record.notes.map((note) => `* ${note}`),
  );
  return lines.join('\n\n');
}

function tableText({ title, columns, rows }: ResultTable): string {
  const cells = rows.map((row) => [
    row.name,
    ...row.cells.map((cell) => (typeof cell === 'string' ? cell : spreadText(cell))),
  ]);
  return markdownTable([title, ...columns], cells);
}

function markdownTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(headings), line(headings.map(() => '---')), ...rows.map(line)].join('\n');
}
