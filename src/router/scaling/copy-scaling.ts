import { calm, copyTarget, desiredCopies, type PanicState } from './desired-copies.ts';
import { LoadWindow } from './load-window.ts';
import { defaultScalingOptions, type ScalingOptions } from './options.ts';
import type { CopyDecision, ScaledModel, ScalingMode, ScalingSnapshot } from './snapshot.ts';

const stableBuckets = 30;
const panicBuckets = 4;

/** What is remembered of one model between ticks: about 1 KB, and only while somebody asks for it. */
class ModelLoad {
  readonly stable: LoadWindow;
  readonly panic: LoadWindow;
  /** What was wanted, falling, so that the first is the most of `downDelayMs`. */
  readonly wishes: { readonly atMs: number; readonly copies: number }[] = [];
  panicState: PanicState = calm;
  seenMs: number;
  askedMs: number;

  constructor(options: ScalingOptions, nowMs: number) {
    this.stable = new LoadWindow(options.stableMs, stableBuckets, options.panicMs);
    this.panic = new LoadWindow(options.panicMs, panicBuckets, options.panicMs);
    this.seenMs = nowMs - options.tickMs;
    this.askedMs = nowMs;
  }
}

/**
 * How many copies each model should have. Time comes with each tick and nothing else moves it: the same ticks give the
 * same decisions. Where the copies go is placement's question, and whether they fit is eviction's.
 */
export class CopyScaling {
  readonly #options: ScalingOptions;
  readonly #loads = new Map<string, ModelLoad>();

  constructor(options: ScalingOptions = defaultScalingOptions) {
    this.#options = options;
  }

  /** Models that are remembered. */
  get size(): number {
    return this.#loads.size;
  }

  /** One decision for each model of the snapshot, in its order. What the snapshot does not name is forgotten. */
  tick(snapshot: ScalingSnapshot, nowMs: number): CopyDecision[] {
    const decisions = snapshot.models.map((model) => this.#decide(model, snapshot, nowMs));
    if (this.#loads.size > snapshot.models.length) {
      for (const [name, load] of this.#loads) if (load.seenMs !== nowMs) this.#loads.delete(name);
    }
    return decisions;
  }

  /** Nothing came within the stable window: the caller need not name it until somebody asks again. */
  isQuiet(model: string, nowMs: number): boolean {
    const load = this.#loads.get(model);
    return load === undefined || nowMs - load.askedMs > this.#options.stableMs + this.#options.downDelayMs;
  }

  #decide(model: ScaledModel, snapshot: ScalingSnapshot, nowMs: number): CopyDecision {
    const load = this.#loads.get(model.name) ?? this.#begin(model, nowMs);
    const now = model.inFlight + model.held;
    const spanMs = Math.max(1, nowMs - load.seenMs);
    load.seenMs = nowMs;
    if (now > 0 || model.arrivals > 0) load.askedMs = nowMs;
    load.stable.record(now, model.arrivals, spanMs, nowMs);
    load.panic.record(now, model.arrivals, spanMs, nowMs);
    const means = { stable: load.stable.means(nowMs), panic: load.panic.means(nowMs) };
    const target = copyTarget(model.slotsPerCopy, this.#options);
    const { copies, mode, urgent, panic } = desiredCopies(
      means,
      model.readyCopies,
      target,
      snapshot.routers,
      load.panicState,
      this.#options,
      nowMs,
    );
    load.panicState = panic;
    const held = highest(load.wishes, { atMs: nowMs, copies }, nowMs - this.#options.downDelayMs);
    const [wanted, why] = limited(model, Math.min(held, snapshot.hosts), mode, snapshot.backends, nowMs - load.askedMs);
    const figures = { stableLoad: means.stable.load, panicLoad: means.panic.load, target };
    return { model: model.name, wanted, mode: why, urgent: urgent && wanted > 0, ...figures };
  }

  /** Copies that are already there were wanted by somebody: a router that has just started gives none up at once. */
  #begin({ name, readyCopies }: ScaledModel, nowMs: number): ModelLoad {
    const load = new ModelLoad(this.#options, nowMs);
    load.wishes.push({ atMs: nowMs, copies: readyCopies });
    this.#loads.set(name, load);
    return load;
  }
}

/** Adds a wish and answers the highest that is not older than `sinceMs`. */
function highest(
  wishes: { readonly atMs: number; readonly copies: number }[],
  wish: { readonly atMs: number; readonly copies: number },
  sinceMs: number,
): number {
  while (wishes.length > 0 && wishes[0]!.atMs < sinceMs) wishes.shift();
  while (wishes.length > 0 && wishes.at(-1)!.copies <= wish.copies) wishes.pop();
  wishes.push(wish);
  return wishes[0]!.copies;
}

/**
 * The operator's limits, and those of the fleet. The first copy comes by request and the last one goes by eviction, unless
 * the model has been idle for longer than it may be: a model that was evicted a moment ago still has load in its window,
 * and loading it for that would evict the next.
 */
function limited(
  { readyCopies, comingCopies, limits, held }: ScaledModel,
  copies: number,
  mode: ScalingMode,
  backends: number,
  idleMs: number,
): [number, ScalingMode] {
  const { minCopies, pinned, maxIdleMs } = limits;
  const most = Math.min(limits.maxCopies || Infinity, Math.max(1, backends));
  const isIdle = maxIdleMs > 0 && idleMs >= maxIdleMs && !pinned;
  if (isIdle) return [Math.min(most, minCopies), 'idle'];
  const isThere = readyCopies + comingCopies + held > 0;
  return [Math.min(most, Math.max(minCopies, isThere ? Math.max(1, copies) : 0)), mode];
}
