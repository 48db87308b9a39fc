/** First line of every page that is made: whoever would edit it is told where. */
export const madeLine =
  '<!-- Made by scripts/generate-reference.ts from the tables in src/. Edit those, then run it. -->';

/** Code inside a line or a cell, whatever it holds. */
export function code(text: string): string {
  const fence = text.includes('`') ? '``' : '`';
  const padding = text.startsWith('`') || text.endsWith('`') ? ' ' : '';
  return `${fence}${padding}${text}${padding}${fence}`;
}

export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(headings), `|${' --- |'.repeat(headings.length)}`, ...rows.map(line)].join('\n');
}

/** Text of a table row outside of code: what looks like an HTML tag is written as it reads. */
export function plain(text: string): string {
  return text.replaceAll('<', '&lt;');
}

/** A summary of a table, which begins small and has no dot. */
export function sentence(summary: string): string {
  return `${summary.slice(0, 1).toUpperCase()}${plain(summary.slice(1))}.`;
}
