import type { Lane } from './lane.ts';
import { LatencyHistogram } from './latency-histogram.ts';

/** What came of the load in a stretch of time. Answers count where they end. */
export interface LoadWindow {
  readonly durationMs: number;
  /** Answered with 200. */
  readonly answered: number;
  /** Refused, lost or given up. */
  readonly failed: number;
  /** From when a request was due to the last byte of its answer. */
  readonly latency: LatencyHistogram;
  /** Means of the answered ones, in microseconds. */
  readonly delayUs: number;
  readonly sendUs: number;
  readonly waitUs: number;
  readonly receiveUs: number;
  /** Requests that were due and not sent when the window ended: all connections were busy. */
  readonly backlog: number;
  /** Of the first that failed: status and words. */
  readonly failure: string | undefined;
}

/** Adds up what lanes settle, and gives it out window by window. */
export class LoadMeter {
  #startedMs = performance.now();
  #latency = new LatencyHistogram();
  #failed = 0;
  #failure: string | undefined;
  #delayMs = 0;
  #sendMs = 0;
  #waitMs = 0;
  #receiveMs = 0;

  settled(lane: Lane): void {
    if (lane.status !== 200) {
      this.#failed++;
      this.#failure ??= lane.status === 0 ? lane.problem : `${lane.status} ${lane.text}`;
      return;
    }
    this.#latency.record((lane.endedMs - lane.dueMs) * 1_000);
    this.#delayMs += lane.startedMs - lane.dueMs;
    this.#sendMs += lane.sentMs - lane.startedMs;
    this.#waitMs += lane.firstByteMs - lane.sentMs;
    this.#receiveMs += lane.endedMs - lane.firstByteMs;
  }

  /** The window since the last cut. */
  cut(backlog = 0): LoadWindow {
    const nowMs = performance.now();
    const answered = this.#latency.count;
    const meanUs = (sumMs: number) => (answered === 0 ? 0 : (sumMs * 1_000) / answered);
    const window = {
      durationMs: nowMs - this.#startedMs,
      answered,
      failed: this.#failed,
      latency: this.#latency,
      delayUs: meanUs(this.#delayMs),
      sendUs: meanUs(this.#sendMs),
      waitUs: meanUs(this.#waitMs),
      receiveUs: meanUs(this.#receiveMs),
      backlog,
      failure: this.#failure,
    };
    this.#startedMs = nowMs;
    this.#latency = new LatencyHistogram();
    this.#failed = this.#delayMs = this.#sendMs = this.#waitMs = this.#receiveMs = 0;
    this.#failure = undefined;
    return window;
  }
}

/** As if they had been one: means by their answers. */
export function mergeWindows(windows: readonly LoadWindow[]): LoadWindow {
  const latency = new LatencyHistogram();
  for (const window of windows) latency.add(window.latency);
  const sum = (of: (window: LoadWindow) => number) => windows.reduce((total, window) => total + of(window), 0);
  const answered = sum((window) => window.answered);
  const mean = (of: (window: LoadWindow) => number) =>
    answered === 0 ? 0 : sum((window) => of(window) * window.answered) / answered;
  return {
    durationMs: sum((window) => window.durationMs),
    answered,
    failed: sum((window) => window.failed),
    latency,
    delayUs: mean((window) => window.delayUs),
    sendUs: mean((window) => window.sendUs),
    waitUs: mean((window) => window.waitUs),
    receiveUs: mean((window) => window.receiveUs),
    backlog: windows.at(-1)?.backlog ?? 0,
    failure: windows.find((window) => window.failure !== undefined)?.failure,
  };
}
