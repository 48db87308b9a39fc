/** A copy on a virtual clock: a closed loop of requests of one row, runs that take what a table says, cores as tokens. */
import type { RunPlanner } from '../../../src/backends/batching/run-planner.ts';
import type { RunSetting } from '../../../src/backends/batching/run-setting.ts';

/** Milliseconds of a run of so many rows by so many threads, with so many runs at once. */
export type TrueCost = (setting: RunSetting, nowMs: number) => number;

interface Running {
  readonly setting: RunSetting;
  readonly rows: number;
  readonly startMs: number;
  readonly endMs: number;
  readonly beside: number;
  isAlike: boolean;
}

interface VirtualRun {
  readonly setting: RunSetting;
  readonly rows: number;
  readonly startMs: number;
  readonly endMs: number;
}

/** Serves `population` requests, each sent again as soon as it is answered, until `untilMs`. */
export class VirtualCopy {
  readonly #planner: RunPlanner;
  readonly #cores: number;
  readonly #cost: TrueCost;
  readonly runs: VirtualRun[] = [];
  nowMs = 0;

  constructor(planner: RunPlanner, cores: number, cost: TrueCost) {
    this.#planner = planner;
    this.#cores = cores;
    this.#cost = cost;
  }

  /** Rows per second that were served. */
  serve(population: number, forMs: number, spareMs = Infinity): number {
    const untilMs = this.nowMs + forMs;
    const startMs = this.nowMs;
    let queued = population;
    let served = 0;
    let running: Running[] = [];
    while (this.nowMs < untilMs) {
      while (queued > 0) {
        const inRuns = running.reduce((sum, run) => sum + run.rows, 0);
        const setting = this.#planner.plan(queued + inRuns, spareMs, this.nowMs);
        const coresOf = (one: RunSetting) => this.#cores / one.slots;
        const used = running.reduce((sum, run) => sum + coresOf(run.setting), 0);
        if (running.length >= setting.slots || used + coresOf(setting) > this.#cores + 1e-9) break;
        const rows = Math.min(setting.rows, Math.ceil(queued / (setting.slots - running.length)));
        queued -= rows;
        const beside = running.length + 1;
        const isAlike = running.every((run) => run.setting.threads === setting.threads);
        const ms = this.#cost({ threads: setting.threads, slots: setting.slots, rows }, this.nowMs);
        running.push({ setting, rows, startMs: this.nowMs, endMs: this.nowMs + ms, beside, isAlike });
      }
      const next = running.reduce((a, b) => (b.endMs < a.endMs ? b : a));
      this.nowMs = next.endMs;
      const isSame = next.isAlike && running.length === next.beside;
      running = running.filter((run) => run !== next);
      queued += next.rows;
      served += next.rows;
      this.runs.push(next);
      this.#planner.ended({
        threads: next.setting.threads,
        slots: next.setting.slots,
        rows: next.rows,
        ms: next.endMs - next.startMs,
        beside: isSame ? next.beside : 0,
        atMs: this.nowMs,
      });
    }
    return (1000 * served) / (this.nowMs - startMs);
  }
}
