import { LatencyHistogram } from './latency-histogram.ts';
import type { LoadCause } from './sim-copy.ts';
import type { SimModel } from './sim-model.ts';

/** What is counted while the simulation runs. Nothing before `fromMs` counts. */
export class Tally {
  readonly #fromMs: number;
  requests = 0;
  hits = 0;
  /** Of each request in order, whether it was one. */
  readonly #hitsInOrder: boolean[] = [];
  answered = 0;
  refused = 0;
  retries = 0;
  readonly loads: Record<LoadCause, number> = { request: 0, scale: 0, move: 0 };
  /** Loads for requests of models that another node held or was loading. */
  duplicateLoads = 0;
  trims = 0;
  readonly latency = new LatencyHistogram();
  /** Of requests that waited for a load. */
  readonly coldLatency = new LatencyHistogram();

  #crowded = new Set<SimModel>();

  constructor(fromMs: number) {
    this.#fromMs = fromMs;
  }

  /** Models that were loaded beside another copy since this was asked. */
  takeCrowded(): ReadonlySet<SimModel> {
    const crowded = this.#crowded;
    this.#crowded = new Set();
    return crowded;
  }

  received(isHit: boolean, nowMs: number): void {
    if (nowMs < this.#fromMs) return;
    this.requests += 1;
    if (isHit) this.hits += 1;
    this.#hitsInOrder.push(isHit);
  }

  course(parts: number): number[] {
    const size = Math.floor(this.#hitsInOrder.length / parts);
    return Array.from({ length: parts }, (_, at) => {
      const part = this.#hitsInOrder.slice(at * size, (at + 1) * size);
      return part.filter(Boolean).length / Math.max(1, size);
    });
  }

  ended(outcome: 'answered' | 'refused', tookMs: number, wasHit: boolean, sentAtMs: number): void {
    if (sentAtMs < this.#fromMs) return;
    this[outcome] += 1;
    if (outcome === 'refused') return;
    this.latency.add(tookMs);
    if (!wasHit) this.coldLatency.add(tookMs);
  }

  loadBegan(model: SimModel, cause: LoadCause, nowMs: number): void {
    const isElsewhere = model.copies.some(({ state, backend }) => state !== 'gone' && backend.availability === 'ready');
    if (isElsewhere) this.#crowded.add(model);
    if (nowMs < this.#fromMs) return;
    this.loads[cause] += 1;
    if (cause === 'request' && isElsewhere) this.duplicateLoads += 1;
  }
}
