import { CalibrationBudget } from '../batching/calibration-budget.ts';
import type { RunSetting } from '../batching/run-setting.ts';
import { zeroInputs } from '../engines/zero-inputs.ts';
import type { Copy } from './copy.ts';
import type { CoreShare } from './core-share.ts';

/** The cores are looked at this often while a copy is there that could be calibrated. */
const lookMs = 250;

/** Nothing has run for so long: whoever asks again soon is not met by a calibration that is under way. */
const quietMs = 500;

/** A run that is expected to take longer is left to the requests. */
const mostRunMs = 100;

/** Runs of a setting in each slot, and before them one that is not counted. */
const roundsCounted = 3;

/**
 * Measures, while no request is there, the settings of a model that its own traffic has not come to: with runs on zeros
 * that are ended as soon as any request wants a core. One copy at a time, those first that were used most. A setting that
 * is known already is measured beside, so that a quiet machine is not taken for a better setting.
 */
export class Calibrator {
  readonly #copies: () => Iterable<Copy>;
  readonly #cores: CoreShare;
  readonly #budget: CalibrationBudget;
  readonly #timer: NodeJS.Timeout;
  #isRunning = false;

  constructor(cores: CoreShare, copies: () => Iterable<Copy>) {
    this.#cores = cores;
    this.#copies = copies;
    this.#budget = new CalibrationBudget(cores.count, performance.now());
    this.#timer = setInterval(() => void this.look(), lookMs).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Calibrates one setting of one copy where the cores have been quiet and the budget allows it. Never rejects. */
  async look(): Promise<void> {
    const nowMs = performance.now();
    const { lastTakenMs, limit, count } = this.#cores;
    // Fewer than all: another process of this host is busy, and what is measured beside it means little.
    if (this.#isRunning || limit < count || nowMs - lastTakenMs < quietMs) return;
    const candidates = [...this.#copies()].filter(({ inFlight, runs }) => inFlight === 0 && !runs.calibration.isOver);
    candidates.sort((a, b) => b.runs.totalMs - a.runs.totalMs);
    for (const copy of candidates) {
      const { planner, calibration, mostWaiting, totalMs } = copy.runs;
      const setting = planner.nextToCalibrate(mostWaiting, mostRunMs);
      if (setting === undefined) {
        calibration.isOver = totalMs > 0;
        continue;
      }
      const reference = planner.reference(mostWaiting);
      const runMs = planner.expectedMs(setting) + (reference === undefined ? 0 : planner.expectedMs(reference));
      const ms = (1 + roundsCounted) * runMs;
      if (!this.#budget.allows(ms, totalMs, calibration.spentMs, nowMs)) continue;
      await this.#calibrate(copy, setting, reference);
      return;
    }
  }

  async #calibrate(copy: Copy, setting: RunSetting, reference: RunSetting | undefined): Promise<void> {
    const { planner, calibration } = copy.runs;
    this.#isRunning = true;
    const startMs = performance.now();
    const stop = new AbortController();
    const release = this.#cores.whenWanted(() => stop.abort());
    try {
      const known = reference === undefined ? undefined : planner.costs.find(reference);
      const referenceMs = reference === undefined ? 1 : await measure(copy, reference, stop.signal);
      const ms = await measure(copy, setting, stop.signal);
      planner.calibrated(setting, ms, referenceMs / (known?.ms ?? 1), roundsCounted * setting.slots);
      copy.runs.writeNotes();
    } catch {
      // Ended by a request, or it cannot be run on zeros: then its own traffic will tell.
      calibration.isOver = !stop.signal.aborted;
    } finally {
      release();
      const tookMs = performance.now() - startMs;
      calibration.spentMs += tookMs;
      this.#budget.spend(tookMs);
      this.#isRunning = false;
    }
  }
}

/** Mean time of a run, with all slots running. */
async function measure({ parts, runs }: Copy, setting: RunSetting, signal: AbortSignal): Promise<number> {
  const { own } = parts.signature;
  const inputs = zeroInputs(own, setting.rows);
  if (inputs === undefined) throw new Error('what its inputs look like is not known');
  const wanted = own.outputs.map((output) => output.name);
  runs.expect(setting);
  const times: number[] = [];
  const repeat = async () => {
    for (let round = 0; round <= roundsCounted; round++) {
      const startMs = performance.now();
      await runs.model(setting.threads).run(own.name, inputs, wanted, signal);
      if (round > 0) times.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: setting.slots }, repeat));
  return times.reduce((sum, ms) => sum + ms, 0) / times.length;
}
