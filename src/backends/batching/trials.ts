import type { RunCosts } from './run-costs.ts';
import { type RunSetting, settingKey } from './run-setting.ts';
import { isMeasured } from './setting-choice.ts';

/** This many times the rows per second are thought possible of twice the rows, of twice the runs, and of half as many. */
const hopeByMoreRows = 1.6;
const hopeByMoreSlots = 2.2;
const hopeByLess = 1.3;
/** What was measured before may have become so much better. */
const hopeByTime = 1.1;

/** Time between trials, against the time that the last one took: while there are settings never seen, and after. */
const pauseWhileNew = 3;
const pauseLater = 20;

const firstRetryMs = 10_000;
const lastRetryMs = 600_000;

/** A trial that does not come to its runs, as the requests for it have ceased, is given up. */
const longestTrialMs = 2_000;

/** The present choice must have been seen for so many runs before others are held against it. */
const runsToCompare = 8;

/** What waits longest must have time for so many runs of the present setting, each as long as a doubled one. */
const spareRuns = 8;

interface Trial {
  readonly setting: RunSetting;
  readonly level: number;
  readonly startedMs: number;
  /** Runs to go; the first of each slot is not counted: pages are touched, and others run beside it. */
  warming: number;
  left: number;
}

interface Past {
  readonly atMs: number;
  readonly retryMs: number;
  readonly drift: number;
}

/**
 * Tries settings under load: a few runs each, then a pause of many times that, and the settings that may beat the
 * present one only. No trial begins while a queued request is near its deadline, and none when there is no load: a lone
 * request gets what is known to be best.
 */
export class Trials {
  readonly #costs: RunCosts;
  readonly #past = new Map<string, Past>();
  #trial: Trial | undefined;
  #nextAtMs = 0;

  constructor(costs: RunCosts) {
    this.#costs = costs;
  }

  get setting(): RunSetting | undefined {
    return this.#trial?.setting;
  }

  /** The setting to try with the next run, undefined for none. */
  next(
    level: number,
    settings: readonly RunSetting[],
    present: RunSetting,
    spareMs: number,
    nowMs: number,
  ): RunSetting | undefined {
    if (this.#trial !== undefined && nowMs - this.#trial.startedMs > longestTrialMs) this.#end(nowMs);
    const presentMs = this.#costs.find(present)?.ms ?? Infinity;
    if (spareMs < 2 * spareRuns * presentMs * this.#costs.drift) return undefined;
    if (this.#trial !== undefined) return level >= this.#trial.level ? this.#trial.setting : undefined;
    if (nowMs < this.#nextAtMs || level === 0) return undefined;
    if ((this.#costs.find(present)?.runs ?? 0) < runsToCompare) return undefined;
    const setting = this.#mostPromising(settings, present, nowMs);
    if (setting === undefined) return undefined;
    this.#costs.doubt(setting);
    const { slots } = setting;
    this.#trial = { setting, level, startedMs: nowMs, warming: slots, left: Math.max(4, 2 * slots) };
    return setting;
  }

  /** A run by the setting on trial has ended; false where it was of those that are not counted. */
  ran(nowMs: number): boolean {
    const trial = this.#trial;
    if (trial === undefined) return false;
    if (trial.warming > 0) {
      trial.warming -= 1;
      return false;
    }
    trial.left -= 1;
    if (trial.left === 0) this.#end(nowMs);
    return true;
  }

  /** True where every setting of these was tried, or has no prospect. */
  isDone(settings: readonly RunSetting[], present: RunSetting): boolean {
    const presentRate = this.#costs.rowsPerSecond(present) ?? 0;
    return settings.every((setting) => this.#hope(setting) <= presentRate || this.#past.has(settingKey(setting)));
  }

  #end(nowMs: number): void {
    const { setting, startedMs } = this.#trial!;
    this.#trial = undefined;
    const key = settingKey(setting);
    const before = this.#past.get(key);
    const retryMs = before === undefined ? firstRetryMs : Math.min(lastRetryMs, 2 * before.retryMs);
    this.#past.set(key, { atMs: nowMs, retryMs, drift: this.#costs.drift });
    const isNew = before === undefined;
    this.#nextAtMs = nowMs + (isNew ? pauseWhileNew : pauseLater) * (nowMs - startedMs);
  }

  #mostPromising(settings: readonly RunSetting[], present: RunSetting, nowMs: number): RunSetting | undefined {
    let found: RunSetting | undefined;
    let unknown: RunSetting | undefined;
    let most = this.#costs.rowsPerSecond(present) ?? Infinity;
    for (const setting of settings) {
      if (settingKey(setting) === settingKey(present) || this.#isTooSoon(setting, nowMs)) continue;
      const hope = this.#hope(setting);
      if (hope === Infinity) unknown ??= setting;
      else if (hope > most) {
        found = setting;
        most = hope;
      }
    }
    // One without neighbours that are known may be anything: its smallest batch is tried first of all, as that is cheap
    // and says what to hope of the larger ones; these come last.
    return unknown?.rows === 1 ? unknown : (found ?? unknown);
  }

  #isTooSoon(setting: RunSetting, nowMs: number): boolean {
    const past = this.#past.get(settingKey(setting));
    return past !== undefined && nowMs < past.atMs + past.retryMs;
  }

  /** The most rows per second that it may turn out to do. */
  #hope(setting: RunSetting): number {
    if (isMeasured(setting, this.#costs)) {
      const past = this.#past.get(settingKey(setting));
      const change = this.#costs.drift / (past?.drift ?? 1);
      return this.#costs.rowsPerSecond(setting)! * hopeByTime * Math.max(change, 1 / change);
    }
    const { rows, slots } = setting;
    const neighbours: [RunSetting, number][] = [
      [{ ...setting, rows: rows / 2 }, hopeByMoreRows],
      [{ ...setting, rows: rows * 2 }, hopeByLess],
      [{ ...setting, slots: slots / 2 }, hopeByMoreSlots],
      [{ ...setting, slots: slots * 2 }, hopeByLess],
    ];
    let hope = Infinity;
    for (const [neighbour, factor] of neighbours) {
      if (isMeasured(neighbour, this.#costs)) hope = Math.min(hope, factor * this.#costs.rowsPerSecond(neighbour)!);
    }
    return hope;
  }
}
