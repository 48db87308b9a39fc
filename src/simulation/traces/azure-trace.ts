import { normal, type Random, seededRandom } from '../seeded-random.ts';
import { type MinuteCounts, minuteTrace } from './minute-trace.ts';
import type { Trace } from './trace.ts';

interface AzureShape {
  readonly models: number;
  readonly minutes: number;
  /** All models together, on average. */
  readonly perSecond: number;
  readonly seed: number;
}

/** Spread of the rates, as the deviation of their natural logarithm: eight orders of magnitude from end to end. */
const rateSpread = 3.2;
/** Shares of models that are called by a timer, and in bursts. */
const timerShare = 0.3;
const burstyShare = 0.2;

/**
 * Invocations made up in the shape of Azure Functions' (Shahrad et al., Serverless in the Wild, ATC 2020): rates that
 * spread over eight orders of magnitude, a third of the functions called by timers, some in bursts with long pauses, the
 * rest by chance. A recorded trace of theirs is read by `azureTraceOf`.
 */
export function azureTrace(shape: AzureShape): Trace {
  const random = seededRandom(shape.seed);
  const weights = Float64Array.from({ length: shape.models }, () => Math.exp(rateSpread * normal(random)));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const models = Array.from({ length: shape.models }, (_, at) => `function-${at}`);
  const rows = Array.from(weights, (weight) => {
    const perMinute = (60 * shape.perSecond * weight) / total;
    const kind = random();
    if (kind < timerShare) return timerCounts(perMinute, shape.minutes, random);
    return kind < timerShare + burstyShare
      ? burstyCounts(perMinute, shape.minutes, random)
      : chanceCounts(perMinute, shape.minutes, random);
  });
  return minuteTrace(models, rows, shape.seed);
}

/** Called every so many minutes, or so many times in each. */
function timerCounts(perMinute: number, minutes: number, random: Random): MinuteCounts {
  const counts = new Uint32Array(minutes);
  if (perMinute >= 1) return counts.fill(Math.round(perMinute));
  const every = Math.max(1, Math.round(1 / perMinute));
  for (let at = Math.floor(random() * every); at < minutes; at += every) counts[at] = 1;
  return counts;
}

/** A tenth of the time, ten times as often. */
function burstyCounts(perMinute: number, minutes: number, random: Random): MinuteCounts {
  const counts = new Uint32Array(minutes);
  let isOn = random() < 0.1;
  for (let at = 0; at < minutes; at++) {
    if (isOn) counts[at] = poisson(10 * perMinute, random);
    if (random() < (isOn ? 0.3 : 0.03)) isOn = !isOn;
  }
  return counts;
}

function chanceCounts(perMinute: number, minutes: number, random: Random): MinuteCounts {
  return Uint32Array.from({ length: minutes }, () => poisson(perMinute, random));
}

/** Knuth's, and a normal of the same mean and spread where that would take long. */
function poisson(mean: number, random: Random): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * normal(random)));
  const limit = Math.exp(-mean);
  let count = 0;
  for (let product = random(); product > limit; product *= random()) count += 1;
  return count;
}
