import { percentile } from '../fixtures/traffic/latency.ts';
import type { Entry } from './ledger.ts';
import { waitMs } from './report.ts';

const windowMs = 2_000;
/** With a core to spare 99 of 100 requests take 10 to 30 ms. */
const steadyMs = 50;
const windowsInARow = 2;
/** Of windows; what is not steady by then never will be. */
const mostWindows = 15;

/** Whether traffic is answered evenly, before anything is done to the fleet. Sans IO. */
export class Steadiness {
  #fromMs: number;
  #windows = 0;
  #inARow = 0;
  /** Of 99 of 100 requests of the last whole window. */
  usualMs = Number.NaN;

  constructor(nowMs: number) {
    this.#fromMs = nowMs;
  }

  get isSteady(): boolean {
    return this.#inARow >= windowsInARow;
  }

  get isOver(): boolean {
    return this.isSteady || this.#windows >= mostWindows;
  }

  /** To be called a few times a window. A request that has no answer yet counts with the time that it has waited so far. */
  look(entries: Iterable<Entry>, nowMs: number): void {
    const untilMs = this.#fromMs + windowMs;
    if (nowMs < untilMs) return;
    const own = [...entries].filter(({ dueMs }) => dueMs >= this.#fromMs && dueMs < untilMs);
    this.usualMs = percentile(
      own.map((entry) => Math.min(waitMs(entry), nowMs - entry.dueMs)),
      99,
    );
    this.#inARow = this.usualMs <= steadyMs ? this.#inARow + 1 : 0;
    this.#windows++;
    this.#fromMs = untilMs;
  }
}
