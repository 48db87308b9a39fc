import type { LatencyHistogram } from './latency-histogram.ts';
import { msText } from './level-tables.ts';

interface PercentileCurve {
  /** `8 connections`, `200 requests/s`. */
  readonly name: string;
  readonly latency: LatencyHistogram;
}

const plot = { left: 70, top: 50, width: 620, height: 320 } as const;
const legendWidth = 170;
const colours = ['#4a6fa5', '#b5452c', '#2b7a5b', '#8a5a9e', '#c08a1e', '#4a4a4a'] as const;

/** As far as the axis reaches: 99.99 % stands at its end, and each nine takes the same width. */
const nines = 4;
const ticks = [0, 50, 90, 99, 99.9, 99.99] as const;
const steps = 120;

/** HdrHistogram's picture: latency over percentile, as SVG, both axes logarithmic. */
export function percentilePicture(title: string, curves: readonly PercentileCurve[]): string {
  const least = Math.min(...curves.map(({ latency }) => Math.max(1, latency.minUs)));
  const largest = Math.max(...curves.map(({ latency }) => Math.max(2, latency.maxUs)));
  const [low, high] = [Math.floor(Math.log10(least)), Math.ceil(Math.log10(largest))];
  const y = (us: number) => {
    const share = (Math.log10(Math.max(us, 10 ** low)) - low) / Math.max(1, high - low);
    return plot.top + plot.height * (1 - share);
  };
  const width = plot.left + plot.width + legendWidth;
  const height = plot.top + plot.height + 50;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif" font-size="12">`,
    `<title>${escapeXml(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(plot.left, 26, escapeXml(title), 'font-weight="600" font-size="14"'),
    ...percentAxis(),
    ...latencyAxis(low, high, y),
    ...curves.flatMap((curve, i) => drawCurve(curve, i, y)),
    '</svg>\n',
  ].join('\n');
}

function percentAxis(): string[] {
  const bottom = plot.top + plot.height;
  return ticks.flatMap((percent) => {
    const x = xOf(percent);
    return [
      `<path d="M${x} ${plot.top}V${bottom}" stroke="#ddd"/>`,
      text(x, bottom + 18, `${percent} %`, 'text-anchor="middle" fill="#555"'),
    ];
  });
}

function latencyAxis(low: number, high: number, y: (us: number) => number): string[] {
  return Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i)).flatMap((us) => [
    `<path d="M${plot.left} ${y(us)}H${plot.left + plot.width}" stroke="#ddd"/>`,
    text(plot.left - 8, y(us) + 4, `${Number(msText(us))} ms`, 'text-anchor="end" fill="#555"'),
  ]);
}

function drawCurve({ name, latency }: PercentileCurve, index: number, y: (us: number) => number): string[] {
  const colour = colours[index % colours.length]!;
  const points = Array.from({ length: steps + 1 }, (_, step) => {
    const percent = 100 * (1 - 10 ** ((-nines * step) / steps));
    return `${xOf(percent).toFixed(1)},${y(latency.percentileUs(percent)).toFixed(1)}`;
  });
  const row = plot.top + 14 + index * 20;
  const x = plot.left + plot.width + 16;
  return [
    `<polyline points="${points.join(' ')}" fill="none" stroke="${colour}" stroke-width="2"/>`,
    `<rect x="${x}" y="${row - 10}" width="12" height="12" fill="${colour}"/>`,
    text(x + 18, row, escapeXml(name), ''),
  ];
}

function xOf(percent: number): number {
  return plot.left + (plot.width * Math.min(nines, -Math.log10(1 - percent / 100))) / nines;
}

function text(x: number, y: number, words: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${words}</text>`;
}

function escapeXml(words: string): string {
  return words.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`);
}
