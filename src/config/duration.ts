/** Times as people write them: `250ms`, `30s`, `5m`, `1.5h`. */

const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 } as const satisfies Record<string, number>;

export const durationForm = 'a time such as 250ms, 30s or 5m (units ms, s, m, h)';

/** Milliseconds, rounded; undefined where the text is no time. Only 0 goes without a unit. */
export function parseDuration(text: string): number | undefined {
  const bare = text.trim();
  if (bare === '0') return 0;
  const [, digits, unit] = /^(\d+(?:\.\d+)?) ?([a-z]+)$/.exec(bare) ?? [];
  if (digits === undefined || unit === undefined || !Object.hasOwn(unitMs, unit)) return undefined;
  const ms = Math.round(Number(digits) * unitMs[unit as keyof typeof unitMs]);
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** In the largest unit that says it exactly, as a setting takes it. */
export function writeDuration(ms: number): string {
  if (ms === 0) return '0';
  for (const unit of ['h', 'm', 's'] as const) if (ms % unitMs[unit] === 0) return `${ms / unitMs[unit]}${unit}`;
  return `${ms}ms`;
}

/** For people, to about two digits: `40 ms`, `1.2 s`, `3 min 20 s`, `2 h 5 min`, `4 d 3 h`. */
export function formatDuration(ms: number): string {
  if (ms < 999.5) return `${ms < 10 && ms % 1 !== 0 ? ms.toFixed(1) : ms.toFixed(0)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return twoParts(seconds, 60, 'min', 1, 's');
  if (seconds < 86_400) return twoParts(seconds, 3_600, 'h', 60, 'min');
  return twoParts(seconds, 86_400, 'd', 3_600, 'h');
}

function twoParts(seconds: number, large: number, largeUnit: string, small: number, smallUnit: string): string {
  const rest = Math.floor((seconds % large) / small);
  return `${Math.floor(seconds / large)} ${largeUnit}${rest === 0 ? '' : ` ${rest} ${smallUnit}`}`;
}
