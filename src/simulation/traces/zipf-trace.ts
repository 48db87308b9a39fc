import { exponential, type Random, seededRandom, shuffle, WeightedDraw } from '../seeded-random.ts';
import type { Arrival, Trace } from './trace.ts';

export interface ZipfShape {
  readonly models: number;
  readonly requests: number;
  /** Requests per second, coming by chance. */
  readonly perSecond: number;
  /** The model of rank r is asked for in proportion to r to the minus this. */
  readonly exponent: number;
  readonly seed: number;
  /** From half-way on, ranks are turned by half: what was hot is asked for rarely. */
  readonly shifts?: boolean;
}

/** A model that is asked for many times as often for a while, beside everything else. */
export interface Burst {
  readonly model: number;
  readonly atMs: number;
  readonly forMs: number;
  readonly perSecond: number;
}

/** Zipf: a few models take most requests, and all others are asked for now and then. */
export function zipfTrace(shape: ZipfShape, bursts: readonly Burst[] = []): Trace {
  const models = Array.from({ length: shape.models }, (_, at) => `model-${at}`);
  return {
    models,
    arrivals: () =>
      merged(
        zipfArrivals(shape),
        bursts.map((burst) => burstArrivals(burst, shape.seed)),
      ),
  };
}

/** Ten-fold bursts of 10 s, one after the other over the whole trace, each of one of the most wanted models. */
export function drawBursts(shape: ZipfShape, count: number): Burst[] {
  const random = seededRandom(shape.seed ^ 0x3c6ef372);
  const byRank = ranking(shape);
  const lengthMs = (1000 * shape.requests) / shape.perSecond;
  let weights = 0;
  for (let rank = 1; rank <= shape.models; rank++) weights += rank ** -shape.exponent;
  return Array.from({ length: count }, (_, at) => {
    const rank = Math.floor(random() * Math.min(50, shape.models));
    const usual = (shape.perSecond * (rank + 1) ** -shape.exponent) / weights;
    return { model: byRank[rank]!, atMs: (lengthMs * (at + 0.5)) / count, forMs: 10_000, perSecond: 9 * usual };
  });
}

/** Positions by rank: which models are popular is drawn, so that no hash happens to suit them. */
export function ranking({ models, seed }: Pick<ZipfShape, 'models' | 'seed'>): number[] {
  return shuffle(
    Array.from({ length: models }, (_, at) => at),
    seededRandom(seed ^ 0x5bd1e995),
  );
}

function* zipfArrivals(shape: ZipfShape): Generator<Arrival> {
  const random = seededRandom(shape.seed);
  const byRank = ranking(shape);
  const draw = new WeightedDraw(Float64Array.from(byRank, (_, rank) => (rank + 1) ** -shape.exponent));
  let atMs = 0;
  for (let sent = 0; sent < shape.requests; sent++) {
    atMs += exponential(random, shape.perSecond / 1000);
    const turned = shape.shifts === true && sent >= shape.requests / 2 ? shape.models >> 1 : 0;
    yield { atMs, model: byRank[(draw.draw(random) + turned) % shape.models]! };
  }
}

function* burstArrivals({ model, atMs: fromMs, forMs, perSecond }: Burst, seed: number): Generator<Arrival> {
  const random: Random = seededRandom(seed ^ (model + 1) ^ Math.round(fromMs));
  let atMs = fromMs;
  for (;;) {
    atMs += exponential(random, perSecond / 1000);
    if (atMs >= fromMs + forMs) return;
    yield { atMs, model };
  }
}

/** All of them in the order of time; ends with the first, so that what comes beside does not outlast it. */
function* merged(first: Iterator<Arrival>, others: readonly Iterator<Arrival>[]): Generator<Arrival> {
  const next = others.map((one) => one.next());
  for (let own = first.next(); own.done !== true; own = first.next()) {
    for (;;) {
      let earliest = -1;
      for (let at = 0; at < next.length; at++) {
        const one = next[at]!;
        if (one.done === true || one.value.atMs >= own.value.atMs) continue;
        if (earliest < 0 || one.value.atMs < (next[earliest]!.value as Arrival).atMs) earliest = at;
      }
      if (earliest < 0) break;
      yield next[earliest]!.value as Arrival;
      next[earliest] = others[earliest]!.next();
    }
    yield own.value;
  }
}
