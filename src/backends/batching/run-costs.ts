import { type RunSetting, settingKey } from './run-setting.ts';

/** What is known of one setting. */
export interface RunCost extends RunSetting {
  /** From the start of a run until its slot is free again, with all slots running. */
  readonly ms: number;
  /** Runs that this rests on, the oldest forgotten. */
  readonly runs: number;
}

interface Cell extends RunSetting {
  ms: number;
  runs: number;
}

/** A memory of so many runs: very long beside that of the drift, which else would pass into it. */
const memoryRuns = 256;

/** From so many on, a setting is known well enough to read the drift off it. */
const knownRuns = 8;

/** Weight of the newest run in the drift: other work comes and goes within a few runs. */
const driftWeight = 1 / 8;
const mostDrift = 8;

/** A cell that was tried anew rests on no more than this of what was known before. */
const oldRuns = 3;

/** Settings remembered: more than the ladder and the layouts of any machine have. */
const maxCells = 512;

/**
 * How long runs take, by setting, from real traffic and from calibration. What else the machine does makes all settings
 * slower alike, more or less: that part, the drift, is kept apart, or the setting in use would look bad beside those
 * that were last seen when the machine was quiet. It is read off the setting in use; trials of others are held against it.
 */
export class RunCosts {
  readonly #cells = new Map<string, Cell>();
  #drift = 1;

  /** Slowness of the moment, against when the settings were learned. */
  get drift(): number {
    return this.#drift;
  }

  learn(setting: RunSetting, ms: number, isTrial: boolean): void {
    const key = settingKey(setting);
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      if (this.#cells.size >= maxCells) return;
      cell = { threads: setting.threads, slots: setting.slots, rows: setting.rows, ms: 0, runs: 0 };
      this.#cells.set(key, cell);
    }
    if (!isTrial && cell.runs >= knownRuns) {
      const seen = Math.min(mostDrift, Math.max(1 / mostDrift, ms / cell.ms));
      this.#drift += driftWeight * (seen - this.#drift);
    }
    cell.ms += (ms / this.#drift - cell.ms) / (!isTrial && cell.runs >= knownRuns ? memoryRuns : cell.runs + 1);
    cell.runs = Math.min(memoryRuns, cell.runs + 1);
  }

  /** It is going to be tried again: what it costs now counts for more than what it did. */
  doubt(setting: RunSetting): void {
    const cell = this.#cells.get(settingKey(setting));
    if (cell !== undefined) cell.runs = Math.min(cell.runs, oldRuns);
  }

  find(setting: RunSetting): RunCost | undefined {
    return this.#cells.get(settingKey(setting));
  }

  /** With all slots running; undefined where it was never seen. */
  rowsPerSecond(setting: RunSetting): number | undefined {
    const cell = this.#cells.get(settingKey(setting));
    if (cell === undefined) return undefined;
    return (1000 * setting.slots * setting.rows) / (cell.ms * this.#drift);
  }

  /** As of a quiet moment. */
  all(): RunCost[] {
    return [...this.#cells.values()].map((cell) => ({ ...cell }));
  }

  /** From what `all` gave, of another copy or an earlier process. */
  restore(costs: readonly RunCost[]): void {
    for (const { threads, slots, rows, ms, runs } of costs.slice(0, maxCells)) {
      this.#cells.set(settingKey({ threads, slots, rows }), {
        threads,
        slots,
        rows,
        ms,
        runs: Math.min(runs, memoryRuns),
      });
    }
  }
}
