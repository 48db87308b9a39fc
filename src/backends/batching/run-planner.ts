import type { RunsReport } from '../../protocol/link/runs-report.ts';
import { type RunCost, RunCosts } from './run-costs.ts';
import { isSameLayout, levelOf, type RunLayout, type RunSetting, rowLadder, settingsAt } from './run-setting.ts';
import { bestSetting, gainToChange, isMeasured, nextChoice, type SettingChoice } from './setting-choice.ts';
import { Trials } from './trials.ts';

interface PlannerOptions {
  /** The first is the one to begin with; its session is there. */
  readonly layouts: readonly RunLayout[];
  readonly maxRows: number;
  /** The user wrote which batches are worth waiting for: only the layout is chosen. */
  readonly rowsAreGiven: boolean;
  /** Whether there is memory for so many runs of so many rows at once; one row by the first layout always has it. */
  readonly fits?: (setting: RunSetting) => boolean;
}

/** A run that ended. */
interface EndedRun extends RunLayout {
  /** That it had, not that it might have had. */
  readonly rows: number;
  /** From its start until its slot was free again. */
  readonly ms: number;
  /** Runs under way all the time, itself included; 0 where they changed or were of different threads. */
  readonly beside: number;
  readonly atMs: number;
}

/** Choices are looked at again after so many runs. */
const runsToReview = 8;

/**
 * Another session is wanted once this much time was spent on runs while others waited, a tenth of it where it is known to
 * serve more; twice as much each time.
 */
const crowdedBeforeMs = 1_000;

/**
 * Chooses, for each run of one copy, how many threads it has, how many run beside it and how many rows it joins. By
 * Little's law what serves most rows per second is at any number of requests also what answers them soonest; so the
 * choice is made for each number of requests, in powers of two (levels): a lone request gets the quickest run, a queue
 * the setting that empties it.
 */
export class RunPlanner {
  readonly costs = new RunCosts();
  readonly #options: PlannerOptions;
  readonly #ladder: readonly number[];
  readonly #trials = new Trials(this.costs);
  readonly #choices: (SettingChoice | undefined)[] = [];
  readonly #settings: (readonly RunSetting[] | undefined)[] = [];
  readonly #sessions: Set<number>;
  #lastThreads: number;
  #runsSinceReview = 0;
  #crowdedMs = 0;
  #wantsAtMs = crowdedBeforeMs;
  #wantsBetterAtMs = crowdedBeforeMs / 10;
  #lastLevel = 0;

  constructor(options: PlannerOptions) {
    this.#options = options;
    this.#ladder = rowLadder(options.maxRows);
    this.#lastThreads = options.layouts[0]!.threads;
    this.#sessions = new Set([this.#lastThreads]);
  }

  /** By what to start the next run. `rows` are queued or running; `spareMs` is left to who has the least time. */
  plan(rows: number, spareMs: number, nowMs: number): RunSetting {
    const level = levelOf(rows);
    this.#lastLevel = level;
    const choice = this.#choice(level, nowMs);
    const trial = this.#trials.next(level, this.#settingsAt(level), choice.setting, spareMs, nowMs);
    const setting = trial ?? this.#steady(level, choice);
    if (trial === undefined) this.#lastThreads = setting.threads;
    return setting;
  }

  ended({ threads, rows, ms, beside, atMs }: EndedRun): void {
    if (this.#lastLevel > 0) this.#crowdedMs += ms;
    if (beside === 0 || rows > this.#options.maxRows) return;
    const nearest = this.#ladder.reduce((a, b) =>
      Math.abs(Math.log2(b / rows)) < Math.abs(Math.log2(a / rows)) ? b : a,
    );
    const setting = { threads, slots: beside, rows: nearest };
    const { setting: onTrial } = this.#trials;
    const isTrial = onTrial !== undefined && isSameLayout(onTrial, setting) && onTrial.rows === nearest;
    if (isTrial && !this.#trials.ran(atMs)) return;
    this.costs.learn(setting, ms * (nearest / rows), isTrial);
    this.#runsSinceReview += 1;
    if (this.#runsSinceReview >= runsToReview || (isTrial && this.#trials.setting === undefined)) this.#review(atMs);
  }

  /** What was learned earlier of the same model on the same cores. */
  restore(costs: readonly RunCost[]): void {
    this.costs.restore(costs);
    this.#choices.length = 0;
  }

  /** A session of so many threads is there, or is there no longer. */
  setSession(threads: number, isThere: boolean): void {
    if (isThere) this.#sessions.add(threads);
    else this.#sessions.delete(threads);
    this.#settings.length = 0;
    this.#runsSinceReview = runsToReview;
    for (const [level, choice] of this.#choices.entries()) {
      if (choice !== undefined && !this.#sessions.has(choice.setting.threads)) this.#choices[level] = undefined;
    }
  }

  /** Threads of a session that is worth making now; undefined where none is. Asking counts as having tried. */
  wantedThreads(): number | undefined {
    const level = this.#lastLevel;
    const present = this.#choices[level];
    const presentRate = present === undefined ? undefined : this.costs.rowsPerSecond(present.setting);
    if (level === 0 || presentRate === undefined) return undefined;
    const missing = this.#allAt(level).filter(({ threads }) => !this.#sessions.has(threads));
    const better = missing.find((setting) => (this.costs.rowsPerSecond(setting) ?? 0) > gainToChange * presentRate);
    const unknown = missing.find((setting) => !isMeasured(setting, this.costs));
    if (this.#crowdedMs < (better === undefined ? this.#wantsAtMs : this.#wantsBetterAtMs)) return undefined;
    this.#wantsAtMs = this.#wantsBetterAtMs = 2 * this.#crowdedMs;
    return (better ?? unknown)?.threads;
  }

  /** Threads of a session that was tried and is not chosen for anything; never the first. */
  unusedThreads(): number | undefined {
    const first = this.#options.layouts[0]!.threads;
    const level = this.#lastLevel;
    const present = this.#choices[level]?.setting;
    if (present === undefined || level === 0) return undefined;
    return [...this.#sessions].find((threads) => {
      if (threads === first || this.#choices.some((choice) => choice?.setting.threads === threads)) return false;
      const own = this.#settingsAt(level).filter((setting) => setting.threads === threads);
      return this.#trials.isDone(own, present);
    });
  }

  /**
   * The next setting of the sessions there are that nothing is known of, of those that so many waiting rows can come to;
   * smaller batches first. Undefined where all are known or would take longer than `mostMs`.
   */
  nextToCalibrate(mostWaiting: number, mostMs: number): RunSetting | undefined {
    return this.#settingsAt(levelOf(mostWaiting)).find(
      (setting) => !isMeasured(setting, this.costs) && this.expectedMs(setting) <= mostMs,
    );
  }

  /** What a calibration is held against: the measured setting that serves most; undefined before any is known. */
  reference(mostWaiting: number): RunSetting | undefined {
    return bestSetting(this.#settingsAt(levelOf(mostWaiting)), this.costs);
  }

  /** A guess, on the high side, where it is not known; Infinity before anything is. */
  expectedMs(setting: RunSetting): number {
    const known = this.costs.find(setting);
    if (known !== undefined) return known.ms;
    const rowMs = this.costs.all().map((cost) => cost.ms / cost.rows);
    return rowMs.length === 0 ? Infinity : Math.max(...rowMs) * setting.rows * setting.slots;
  }

  /** Runs without any request beside them took so long; `quietness` is how the reference did then, against what is known. */
  calibrated(setting: RunSetting, ms: number, quietness: number, runs: number): void {
    const asLearned = (ms / quietness) * this.costs.drift;
    for (let i = 0; i < runs; i++) this.costs.learn(setting, asLearned, true);
    this.#runsSinceReview = runsToReview;
  }

  /** For people. */
  report(): RunsReport {
    const choices = this.choices().map(({ level, choice: { setting, rowsPerSecond, why } }) => {
      const rate = rowsPerSecond === undefined ? {} : { rowsPerSecond };
      return { upToWaiting: 2 ** level, ...setting, ...rate, why };
    });
    const learned = this.costs.all().map((cost) => {
      return { ...cost, rowsPerSecond: (1000 * cost.slots * cost.rows) / cost.ms };
    });
    return { choices, learned, drift: this.costs.drift, sessions: [...this.#sessions] };
  }

  /** By level. */
  choices(): readonly { readonly level: number; readonly choice: SettingChoice }[] {
    return this.#choices.flatMap((choice, level) => (choice === undefined ? [] : [{ level, choice }]));
  }

  #choice(level: number, nowMs: number): SettingChoice {
    this.#choices[level] ??= nextChoice(undefined, this.#settingsAt(level), this.#first(level), this.costs, nowMs);
    return this.#choices[level];
  }

  #review(nowMs: number): void {
    this.#runsSinceReview = 0;
    for (const [level, present] of this.#choices.entries()) {
      if (present === undefined) continue;
      const first = this.#first(level);
      const isBlind = present.rowsPerSecond === undefined && !isMeasured(present.setting, this.costs);
      this.#choices[level] = nextChoice(
        isBlind ? undefined : present,
        this.#settingsAt(level),
        first,
        this.costs,
        nowMs,
      );
    }
  }

  /** While requests come and go between two levels, the threads do not change for what is hardly a gain. */
  #steady(level: number, { setting, rowsPerSecond }: SettingChoice): RunSetting {
    if (setting.threads === this.#lastThreads || rowsPerSecond === undefined) return setting;
    let best = setting;
    let most = rowsPerSecond / gainToChange;
    for (const other of this.#settingsAt(level)) {
      if (other.threads !== this.#lastThreads || !isMeasured(other, this.costs)) continue;
      const rate = this.costs.rowsPerSecond(other)!;
      if (rate > most) [best, most] = [other, rate];
    }
    return best;
  }

  /** Before anything is known: the first layout, and as many rows as there are. */
  #first(level: number): RunSetting {
    const { threads, slots } = this.#options.layouts[0]!;
    const own = this.#settingsAt(level).filter((setting) => setting.threads === threads && setting.slots <= slots);
    return own.reduce((a, b) => (b.slots >= a.slots && b.rows >= a.rows ? b : a));
  }

  #settingsAt(level: number): readonly RunSetting[] {
    let found = this.#settings[level];
    if (found === undefined) {
      const { rowsAreGiven } = this.#options;
      const all = this.#allAt(level).filter(({ threads }) => this.#sessions.has(threads));
      const isLargest = (one: RunSetting) => !all.some((other) => isSameLayout(one, other) && other.rows > one.rows);
      found = rowsAreGiven ? all.filter(isLargest) : all;
      this.#settings[level] = found;
    }
    return found;
  }

  /** Of all sessions, there or not. */
  #allAt(level: number): readonly RunSetting[] {
    const { layouts, fits } = this.#options;
    const { threads, slots } = layouts[0]!;
    return settingsAt(level, layouts, this.#ladder).filter((setting) => {
      const isFirst = setting.threads === threads && setting.slots <= slots && setting.rows === this.#ladder[0];
      return isFirst || fits === undefined || fits(setting);
    });
  }
}
