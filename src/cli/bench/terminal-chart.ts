import type { LevelReport } from './level-report.ts';
import { loadText, msText, rateText } from './level-tables.ts';

const chartColumns = 50;

/** Bars for a terminal: rates, then latencies with what lies up to the median, to the 90th and to the 99th percentile. */
export function terminalChart(levels: readonly LevelReport[]): string {
  const width = Math.max(...levels.map((level) => loadText(level).length));
  const label = (level: LevelReport) => loadText(level).padStart(width + 2);
  const fastest = Math.max(...levels.map((level) => level.inferencesPerSecond), 1e-9);
  const slowest = Math.max(...levels.map((level) => level.latencyUs.p99), 1e-9);
  return [
    'inferences per second',
    ...levels.map((level) => {
      const bar = filled('█', level.inferencesPerSecond / fastest);
      return `${label(level)}  ${bar} ${rateText(level.inferencesPerSecond)}`;
    }),
    '',
    'latency: █ up to p50, ▓ p90, ░ p99',
    ...levels.map((level) => {
      const { p50, p90, p99 } = level.latencyUs;
      const bar = stacked([p50, p90, p99].map((us) => us / slowest));
      return `${label(level)}  ${bar} ${[p50, p90, p99].map(msText).join(' / ')} ms`;
    }),
    '',
  ].join('\n');
}

function filled(block: string, share: number): string {
  return block.repeat(Math.round(share * chartColumns));
}

/** Shares that ascend, one behind the other. */
function stacked(shares: readonly number[]): string {
  const ends = shares.map((share) => Math.round(share * chartColumns));
  return ['█', '▓', '░'].map((block, i) => block.repeat(Math.max(0, ends[i]! - (ends[i - 1] ?? 0)))).join('');
}
