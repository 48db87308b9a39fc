/** What the router knows of one ready copy, from the figures on its replies. */
export interface CopyLoad {
  /** Requests that were sent to the copy and have not been answered, this router's own included. */
  readonly inFlight: number;
  /** Recent latency at about this load; 0 while unknown, which invites a first request. */
  readonly latencyMs: number;
}

/** A copy is hot when at least this share of the others has less in flight. Prequal found 0.6 to 0.9 useful. */
const hotShare = 0.84;
/** Copies that are looked at to tell hot from cold, however many there are. */
const maxCompared = 16;

/**
 * Which of the ready copies takes a request, by position; -1 where there is none. Of two drawn at random: a cold one
 * before a hot one; of two cold ones the faster; of two hot ones the one with less in flight. Latency steers while there
 * is room, load when there is not; the draw keeps routers whose figures are old from all running to the same copy.
 *
 * `random` yields numbers from 0 up to, not including, 1. Source: Wydrowski et al., Prequal, NSDI 2024; Mitzenmacher for
 * the two choices.
 */
export function chooseCopy(copies: readonly CopyLoad[], random: () => number): number {
  const count = copies.length;
  if (count < 2) return count - 1;
  const first = Math.floor(random() * count);
  const second = (first + 1 + Math.floor(random() * (count - 1))) % count;
  const offset = count > maxCompared ? Math.floor(random() * count) : 0;
  const firstIsHot = isHot(copies, first, offset);
  if (firstIsHot !== isHot(copies, second, offset)) return firstIsHot ? second : first;
  const byLatency = copies[second]!.latencyMs - copies[first]!.latencyMs;
  const byLoad = copies[second]!.inFlight - copies[first]!.inFlight;
  const difference = firstIsHot ? byLoad || byLatency : byLatency || byLoad;
  return difference < 0 ? second : first;
}

function isHot(copies: readonly CopyLoad[], at: number, offset: number): boolean {
  const compared = Math.min(copies.length, maxCompared);
  const own = copies[at]!.inFlight;
  let others = 0;
  let lighter = 0;
  for (let step = 0; step < compared; step++) {
    const other = (offset + step) % copies.length;
    if (other === at) continue;
    others += 1;
    if (copies[other]!.inFlight < own) lighter += 1;
  }
  return lighter >= hotShare * others;
}
