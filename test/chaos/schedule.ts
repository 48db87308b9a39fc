import { seededRandom } from '../fixtures/random.ts';
import type { FaultShape } from './fault.ts';

export interface PlannedFault {
  readonly kind: string;
  readonly target: string;
  readonly variant: string;
  /** Without a fault, before it. */
  readonly calmMs: number;
  readonly holdMs: number;
}

const calmMs = [2_000, 4_000] as const;
/** Until the fleet is whole again, about. */
const repairMs = 3_000;
/** No fault lasts longer than so much of the whole run. */
const longestShare = 1 / 3;

/** Faults for so many minutes, the same for the same seed: all kinds in a drawn order, then all again. */
export function scheduleOf(shapes: readonly FaultShape[], seed: number, minutes: number): PlannedFault[] {
  const random = seededRandom(seed);
  const totalMs = minutes * 60_000;
  const planned: PlannedFault[] = [];
  let deck: FaultShape[] = [];
  for (let atMs = 0; ; ) {
    if (deck.length === 0) deck = shuffled(shapes, random);
    const { kind, targets, variants, holdMs } = deck.pop()!;
    const [least, most] = holdMs.map((ms) => Math.min(ms, totalMs * longestShare)) as [number, number];
    const next = {
      kind,
      target: pick(targets, random),
      variant: pick(variants, random),
      calmMs: Math.round(calmMs[0] + random() * (calmMs[1] - calmMs[0])),
      // Short ones as often as long ones, by their logarithm.
      holdMs: Math.round(least * (most / least) ** random()),
    };
    atMs += next.calmMs + next.holdMs + repairMs;
    if (atMs > totalMs) return planned;
    planned.push(next);
  }
}

function pick<T>(of: readonly T[], random: () => number): T {
  return of[Math.floor(random() * of.length)]!;
}

function shuffled<T>(of: readonly T[], random: () => number): T[] {
  const cards = [...of];
  for (let i = cards.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [cards[i], cards[j]] = [cards[j]!, cards[i]!];
  }
  return cards;
}
