import { type Bar, type ResultTable, verdictOf } from './bench-part.ts';
import { figureText, spreadText } from './figure-text.ts';
import type { MeasuredPart } from './results-page.ts';
import type { Spread } from './spread.ts';

const width = 1_120;
const rowHeight = 22;
const labelWidth = 640;
const barWidth = 300;
/** Where in a row the limit stands. */
const limitShare = 2 / 3;
const colours = {
  met: '#2b7a5b',
  missed: '#b5452c',
  own: '#2f5fa8',
  other: '#9fb3c8',
  'not measured': '#8a8a8a',
} as const;

/** bench/results.svg: each bar against its limit, then what each contender cost. */
export function resultsPicture(parts: readonly MeasuredPart[]): string {
  const sheet = new Sheet();
  sheet.heading('The bars: the line is the limit');
  for (const { record } of parts) for (const bar of record?.bars ?? []) drawBar(sheet, bar);
  for (const { name, record } of parts) {
    for (const table of record?.tables ?? []) if (table.drawn !== undefined) drawTable(sheet, name, table, table.drawn);
  }
  return sheet.svg();
}

function drawBar(sheet: Sheet, bar: Bar): void {
  const verdict = verdictOf(bar);
  const label = `${bar.what}, ${bar.sense} ${figureText(bar.limit)} ${bar.unit}`.trim();
  if ('missing' in bar.figure) sheet.row(label, 0, colours[verdict], bar.figure.missing);
  else {
    const share = Math.min(1, (bar.figure.median / bar.limit) * limitShare);
    sheet.row(label, share, colours[verdict], `${figureText(bar.figure.median)} ${verdict}`, limitShare);
  }
}

function drawTable(sheet: Sheet, part: string, { title, columns, rows }: ResultTable, drawn: string): void {
  const column = columns.indexOf(drawn);
  const spreads = rows.map(({ cells }) => cells[column]);
  const medians = spreads.map((cell) => (isSpread(cell) ? cell.median : 0));
  const largest = Math.max(...medians);
  sheet.heading(`${part}, ${title}: ${drawn}`);
  for (const [i, { name }] of rows.entries()) {
    const spread = spreads[i];
    if (!isSpread(spread)) sheet.row(name, 0, colours['not measured'], spread ?? '');
    else sheet.row(name, medians[i]! / largest, /skein/i.test(name) ? colours.own : colours.other, spreadText(spread));
  }
}

function isSpread(cell: Spread | string | undefined): cell is Spread {
  return typeof cell === 'object';
}

/** Rows from top to bottom. */
class Sheet {
  readonly #parts: string[] = [];
  #y = 12;

  heading(text: string): void {
    this.#y += 14;
    this.#text(12, text, 'font-weight="600"');
    this.#y += rowHeight;
  }

  /** `share` of the width is filled; `mark` is where a line crosses it. */
  row(label: string, share: number, colour: string, text: string, mark?: number): void {
    const filled = Math.round(share * barWidth);
    this.#text(labelWidth - 8, label, 'text-anchor="end"');
    this.#parts.push(
      `<rect x="${labelWidth}" y="${this.#y}" width="${filled}" height="${rowHeight - 7}" fill="${colour}"/>`,
    );
    if (mark !== undefined) {
      const x = labelWidth + Math.round(mark * barWidth);
      this.#parts.push(
        `<path d="M${x} ${this.#y - 3}v${rowHeight - 1}" stroke="#222" stroke-width="1.5" stroke-dasharray="3 2"/>`,
      );
    }
    this.#text(labelWidth + Math.max(filled, (mark ?? 0) * barWidth) + 8, text, 'fill="#333"');
    this.#y += rowHeight;
  }

  svg(): string {
    const height = this.#y + 12;
    return [
      `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
      '<title>Skein’s bars and what each contender cost</title>',
      `<rect width="${width}" height="${height}" fill="#fff"/>`,
      ...this.#parts,
      '</svg>\n',
    ].join('\n');
  }

  #text(x: number, text: string, attributes: string): void {
    this.#parts.push(`<text x="${Math.round(x)}" y="${this.#y + 12}" ${attributes}>${escapeXml(text)}</text>`);
  }
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
