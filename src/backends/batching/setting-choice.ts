import type { RunCosts } from './run-costs.ts';
import type { RunSetting } from './run-setting.ts';

/** What one level runs by, and since when. */
export interface SettingChoice {
  readonly setting: RunSetting;
  /** Undefined: taken without knowing. */
  readonly rowsPerSecond: number | undefined;
  /** For people. */
  readonly why: string;
  readonly sinceMs: number;
  /** No other is taken before. */
  readonly staysUntilMs: number;
}

/** A choice is changed for this much more, and not for less: what is measured varies by that. */
export const gainToChange = 1.05;

/** A larger batch makes everybody in it wait for all: it must be worth that. */
const gainToGrow = 1.02;

/** Runs that a setting must have been seen for. */
const enoughRuns = 3;

const firstStayMs = 1_000;
const longestStayMs = 60_000;

export function isMeasured(setting: RunSetting, costs: RunCosts): boolean {
  return (costs.find(setting)?.runs ?? 0) >= enoughRuns;
}

/** Most rows per second of those that were measured; `settings` come with smaller batches first. */
export function bestSetting(settings: readonly RunSetting[], costs: RunCosts): RunSetting | undefined {
  let best: RunSetting | undefined;
  let bestRate = 0;
  for (const setting of settings) {
    if (!isMeasured(setting, costs)) continue;
    const rate = costs.rowsPerSecond(setting)!;
    const neededGain = best !== undefined && setting.rows > best.rows ? gainToGrow : 1;
    if (rate > neededGain * bestRate) {
      best = setting;
      bestRate = rate;
    }
  }
  return best;
}

/**
 * The choice that follows `present`, damped: a change needs a gain beyond what measuring varies by, and each one in quick
 * succession makes the next wait twice as long.
 */
export function nextChoice(
  present: SettingChoice | undefined,
  settings: readonly RunSetting[],
  first: RunSetting,
  costs: RunCosts,
  nowMs: number,
): SettingChoice {
  const best = bestSetting(settings, costs);
  if (present === undefined) return firstChoice(best, first, costs, nowMs);
  const rowsPerSecond = costs.rowsPerSecond(present.setting);
  const held = { ...present, rowsPerSecond };
  if (best === undefined || best === present.setting || nowMs < present.staysUntilMs) return held;
  // What it does itself has to be known first, or anything would be better.
  if (!isMeasured(present.setting, costs) || rowsPerSecond === undefined) return held;
  const rate = costs.rowsPerSecond(best)!;
  if (rate <= gainToChange * rowsPerSecond) return held;
  return {
    setting: best,
    rowsPerSecond: rate,
    why: `${rounded(rate)} rows/s against ${rounded(rowsPerSecond)} before`,
    sinceMs: nowMs,
    staysUntilMs: nowMs + nextStayMs(present, nowMs),
  };
}

function firstChoice(best: RunSetting | undefined, first: RunSetting, costs: RunCosts, nowMs: number): SettingChoice {
  if (best === undefined) {
    const why = 'where nothing is known';
    return { setting: first, rowsPerSecond: undefined, why, sinceMs: nowMs, staysUntilMs: nowMs };
  }
  const rate = costs.rowsPerSecond(best)!;
  const why = `${rounded(rate)} rows/s, the most of what was measured`;
  return { setting: best, rowsPerSecond: rate, why, sinceMs: nowMs, staysUntilMs: nowMs };
}

function nextStayMs({ sinceMs, staysUntilMs }: SettingChoice, nowMs: number): number {
  const stayMs = Math.max(firstStayMs, staysUntilMs - sinceMs);
  const wasLong = nowMs - sinceMs > 10 * stayMs;
  return wasLong ? firstStayMs : Math.min(longestStayMs, 2 * stayMs);
}

function rounded(rate: number): string {
  return String(rate >= 100 ? Math.round(rate) : Number(rate.toPrecision(3)));
}
