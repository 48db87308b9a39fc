import type { RunCost } from '../batching/run-costs.ts';
import { RunPlanner } from '../batching/run-planner.ts';
import type { RunLayout, RunSetting } from '../batching/run-setting.ts';
import { RunsUnderWay, type RunUnderWay } from '../batching/runs-under-way.ts';
import type { LoadedModel } from '../engines/engine.ts';
import { formatRunNotes, parseRunNotes } from './run-notes.ts';

interface CopyRunsOptions {
  readonly model: LoadedModel;
  /** Of the process. */
  readonly cores: number;
  /** The first is that of `model`. */
  readonly layouts: readonly RunLayout[];
  readonly maxRows: number;
  readonly rowsAreGiven: boolean;
  /** Takes memory for a further session, true where there is room for it without anybody going. */
  readonly takeRoom: (bytes: number) => boolean;
  /** Of memory, the most that runs which are under way together may take. */
  readonly runLimitBytes: number;
}

/** Whether a further session is worth making, or keeping, is asked after so many runs. */
const runsToLook = 32;

/** What was learned is written down after so many runs, and then after twice as many. */
const firstNotesRuns = 256;

/** The runs of one copy: how the next is started, its sessions, what is learned of them and where that is kept. */
export class CopyRuns {
  readonly planner: RunPlanner;
  readonly underWay = new RunsUnderWay();
  readonly #options: CopyRunsOptions;
  readonly #sessions = new Map<number, LoadedModel>();
  readonly #notesName: string;
  #isMaking = false;
  #isClosed = false;
  #ended = 0;
  #notesAtRuns = firstNotesRuns;
  #peakRows = 0;
  #leastCores: number;
  #mostAtOnce = 1;
  #hasGrown = false;
  #lastRunMs = 0;
  #mostWaiting = 0;
  /** Time of all runs. */
  totalMs = 0;
  /** What was measured of it while nobody asked. `isOver`: there is nothing more to be measured so. */
  readonly calibration = { isOver: false, spentMs: 0 };

  constructor(options: CopyRunsOptions) {
    const { layouts, maxRows, rowsAreGiven, cores, model, runLimitBytes } = options;
    this.#options = options;
    const fits = ({ slots, rows }: RunSetting) => slots * model.memory.runPeakBytes(rows) <= runLimitBytes;
    this.planner = new RunPlanner({ layouts, maxRows, rowsAreGiven, fits });
    this.#leastCores = cores / layouts[0]!.slots;
    this.#notesName = `runs-${cores}.json`;
    void this.#readNotes();
  }

  get peakRows(): number {
    return this.#peakRows;
  }

  /** When the last run began, on performance.now(). */
  get lastRunMs(): number {
    return this.#lastRunMs;
  }

  /** What its runs may take at the worst moment, as far as they went until now. */
  get memory(): { readonly runPeakBytes: number; readonly parallelRuns: number; readonly coresPerRun: number } {
    return {
      runPeakBytes: this.#options.model.memory.runPeakBytes(this.#peakRows),
      parallelRuns: this.#mostAtOnce,
      coresPerRun: this.#leastCores,
    };
  }

  /** Held by sessions beside the first. */
  get siblingBytes(): number {
    const count = this.#sessions.size + (this.#isMaking ? 1 : 0);
    return count * (this.#options.model.siblings?.residentBytes ?? 0);
  }

  /** Rows that were ever queued or running at once. */
  get mostWaiting(): number {
    return this.#mostWaiting;
  }

  /** By what to start the next run. `othersWaiting` would get the cores that a run of fewer threads leaves. */
  plan(queuedRows: number, othersWaiting: number, spareMs: number, nowMs: number): RunSetting {
    const rows = queuedRows + this.underWay.rows;
    if (rows > this.#mostWaiting) {
      this.#mostWaiting = rows;
      this.calibration.isOver = false;
    }
    return this.planner.plan(rows + othersWaiting, spareMs, nowMs);
  }

  /** So many rows are going to be run at once, whether requests brought them or not. */
  expect({ slots, rows }: RunSetting): void {
    this.#noteMemory(rows, slots, slots);
  }

  /** Whether `memory` is more than it was when this was asked last, or there is a further session. */
  takeGrowth(): boolean {
    const hasGrown = this.#hasGrown;
    this.#hasGrown = false;
    return hasGrown;
  }

  /** Tokens that a run by this setting takes. */
  coresOf({ slots }: RunLayout): number {
    return Math.max(1, Math.floor(this.#options.cores / slots));
  }

  model(threads: number): LoadedModel {
    return this.#sessions.get(threads) ?? this.#options.model;
  }

  begin(setting: RunSetting, rows: number, nowMs: number): RunUnderWay {
    const run = this.underWay.begin(setting.threads, rows, nowMs);
    this.#noteMemory(rows, setting.slots, this.underWay.count);
    this.#lastRunMs = nowMs;
    return run;
  }

  /** One on the event loop: it says nothing of what runs on threads take. */
  ranHere(rows: number, startMs: number, endedMs: number): void {
    if (rows > this.#peakRows) {
      this.#peakRows = rows;
      this.#hasGrown = true;
    }
    this.#lastRunMs = startMs;
    this.totalMs += endedMs - startMs;
  }

  #noteMemory(rows: number, slots: number, atOnce: number): void {
    const cores = this.#options.cores / slots;
    if (rows <= this.#peakRows && cores >= this.#leastCores && atOnce <= this.#mostAtOnce) return;
    this.#peakRows = Math.max(this.#peakRows, rows);
    this.#leastCores = Math.min(this.#leastCores, cores);
    this.#mostAtOnce = Math.max(this.#mostAtOnce, atOnce);
    this.#hasGrown = true;
  }

  /** `isTypical`: it ran to its end, so that its time means something. */
  end(run: RunUnderWay, isTypical: boolean, nowMs: number): void {
    const ms = nowMs - run.startedMs;
    const beside = this.underWay.end(run);
    this.totalMs += ms;
    const { threads, rows } = run;
    this.planner.ended({ threads, slots: beside, rows, ms, beside: isTypical ? beside : 0, atMs: nowMs });
    this.#ended += 1;
    if (this.#ended % runsToLook === 0) void this.#reviewSessions();
    if (this.#ended >= this.#notesAtRuns) {
      this.#notesAtRuns = 2 * this.#ended;
      this.writeNotes();
    }
  }

  /** Keeps what was learned for the next load. */
  writeNotes(): void {
    const costs = this.planner.costs.all();
    if (costs.length > 0) void this.#options.model.notes?.write(this.#notesName, formatRunNotes(costs));
  }

  /** Gives up the sessions beside the first. Never rejects. */
  async shed(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((threads) => this.#drop(threads)));
  }

  /** Once no run is under way. */
  async unload(): Promise<void> {
    this.#isClosed = true;
    if (this.#ended > runsToLook) this.writeNotes();
    await this.shed();
    await this.#options.model.unload();
  }

  async #readNotes(): Promise<void> {
    const text = await this.#options.model.notes?.read(this.#notesName);
    const costs: readonly RunCost[] | undefined = text === undefined ? undefined : parseRunNotes(text);
    // What was seen meanwhile is newer.
    if (costs !== undefined && this.#ended < runsToLook) this.planner.restore(costs);
  }

  async #reviewSessions(): Promise<void> {
    const { siblings } = this.#options.model;
    if (siblings === undefined || this.#isMaking || this.#isClosed) return;
    const unused = this.planner.unusedThreads();
    if (unused !== undefined) {
      await this.#drop(unused);
      return;
    }
    const wanted = this.planner.wantedThreads();
    if (wanted === undefined || !this.#options.takeRoom(siblings.residentBytes)) return;
    this.#isMaking = true;
    try {
      const session = await siblings.load(wanted);
      if (this.#isClosed) await session.unload();
      else {
        this.#sessions.set(wanted, session);
        this.planner.setSession(wanted, true);
        this.#hasGrown = true;
      }
    } catch {
      // The files it would be made from are gone, or memory is: the first session serves as well as it did.
    } finally {
      this.#isMaking = false;
    }
  }

  async #drop(threads: number): Promise<void> {
    const session = this.#sessions.get(threads);
    if (session === undefined) return;
    this.#sessions.delete(threads);
    this.planner.setSession(threads, false);
    await session.unload().catch(() => {});
  }
}
