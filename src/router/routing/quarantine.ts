import { blamesRequests, type ProcessEnd } from './process-end.ts';

/**
 * Which requests may not run among others, after a backend process died with them.
 *
 *   in flight at a crash -> suspect: one retry, alone in a process -> answered: nothing against it
 *                                                                  -> crash: convicted, its body is refused for a while
 *
 * and a model that keeps crashing is isolated in a process of its own. Everybody else is spared, those that ran beside a
 * culprit among them. Other routers' convictions are learned. Times are the caller's clock; both tables are bounded, the
 * oldest entry goes first.
 */
export interface QuarantineOptions {
  /** How long the body of a convicted request is refused. */
  readonly convictionMs: number;
  readonly maxConvictions: number;
  /** A model is isolated after this many crashes within the window, and until the window has passed without. */
  readonly isolateAfterCrashes: number;
  readonly crashWindowMs: number;
  readonly maxModels: number;
}

export interface InFlightRequest {
  readonly requestId: string;
  readonly model: string;
  /** True where this was the lone retry of a suspect: no other suspect ran at that time. */
  readonly alone: boolean;
}

/** What is refused, and for how long from now; see the fleet's Conviction. */
export interface Refusal {
  readonly model: string;
  readonly what: What;
  readonly mark: string;
  readonly forMs: number;
}

type What = 'body' | 'load';

/** What becomes of a request that was in flight when its process ended. */
type CrashVerdict = 'retry' | 'retry_alone' | 'convicted';

/** Share of the blame for one crash: 1 where nothing else ran, less where others ran beside it. */
interface Blame {
  readonly atMs: number;
  readonly share: number;
}

export class Quarantine {
  readonly #options: QuarantineOptions;
  /** Until when, by model and what of it; in the order of conviction. */
  readonly #convictions = new Map<string, number>();
  readonly #convictedModels = new Map<string, number>();
  readonly #blames = new Map<string, Blame[]>();

  constructor(options: QuarantineOptions) {
    this.#options = options;
  }

  /** Judges all that were in flight in a process that ended. Who is convicted is still to be refused: see `convict`. */
  processEnded(end: ProcessEnd, inFlight: readonly InFlightRequest[], nowMs: number): Map<string, CrashVerdict> {
    const verdicts = new Map<string, CrashVerdict>();
    const blamed = blamesRequests(end);
    const culprits = blamed ? inFlight.filter(({ alone }) => alone) : [];
    for (const request of inFlight)
      verdicts.set(request.requestId, blamed && culprits.length === 0 ? 'retry_alone' : 'retry');
    for (const { requestId } of culprits) verdicts.set(requestId, 'convicted');
    const models = new Set((culprits.length > 0 ? culprits : inFlight).map(({ model }) => model));
    if (blamed) for (const model of models) this.#blame(model, 1 / models.size, nowMs);
    return verdicts;
  }

  /** True where a request for this model must be hashed and asked about: almost never, and hashing large bodies costs. */
  watches(model: string, nowMs: number): boolean {
    return (this.#convictedModels.get(model) ?? -Infinity) > nowMs;
  }

  /** How long it is still refused; 0 = it may be tried. */
  refusedForMs(model: string, what: What, mark: string, nowMs: number): number {
    return Math.max(0, (this.#convictions.get(entryName(model, what, mark)) ?? -Infinity) - nowMs);
  }

  /** True where the model must run in a process of its own. */
  isIsolated(model: string, nowMs: number): boolean {
    const sinceMs = nowMs - this.#options.crashWindowMs;
    const recent = (this.#blames.get(model) ?? []).filter(({ atMs }) => atMs > sinceMs);
    // Thirds must add up to one.
    return recent.reduce((sum, { share }) => sum + share, 0) >= this.#options.isolateAfterCrashes - 1e-9;
  }

  /** Returns how long it is refused. */
  convict(model: string, what: What, mark: string, nowMs: number): number {
    this.learn(model, what, mark, this.#options.convictionMs, nowMs);
    return this.#options.convictionMs;
  }

  learn(model: string, what: What, mark: string, forMs: number, nowMs: number): void {
    const untilMs = nowMs + forMs;
    setNewest(this.#convictions, entryName(model, what, mark), untilMs, this.#options.maxConvictions);
    if (what === 'body') setNewest(this.#convictedModels, model, untilMs, this.#options.maxConvictions);
  }

  /** Its time is over, or somebody took it back. */
  pardon(model: string, what: What, mark: string): void {
    this.#convictions.delete(entryName(model, what, mark));
  }

  /** What is refused now, the newest conviction first. */
  refused(nowMs: number): Refusal[] {
    const refused: Refusal[] = [];
    for (const [name, untilMs] of this.#convictions) {
      const [model, what, mark] = name.split('\n') as [string, What, string];
      if (untilMs > nowMs) refused.push({ model, what, mark, forMs: Math.ceil(untilMs - nowMs) });
    }
    return refused.reverse();
  }

  #blame(model: string, share: number, nowMs: number): void {
    const sinceMs = nowMs - this.#options.crashWindowMs;
    const recent = (this.#blames.get(model) ?? []).filter(({ atMs }) => atMs > sinceMs);
    recent.push({ atMs: nowMs, share });
    // Crashes beyond these change nothing: the shares of so many are enough, or the rest are too small to matter.
    setNewest(this.#blames, model, recent.slice(-maxBlames), this.#options.maxModels);
  }
}

const maxBlames = 64;

/** Model names have no line breaks. */
function entryName(model: string, what: What, mark: string): string {
  return `${model}\n${what}\n${mark}`;
}

function setNewest<V>(table: Map<string, V>, key: string, value: V, maxEntries: number): void {
  table.delete(key);
  table.set(key, value);
  for (const oldest of table.keys()) {
    if (table.size <= maxEntries) break;
    table.delete(oldest);
  }
}
