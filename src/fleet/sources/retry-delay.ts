/** Tries in a row that bring nothing before a file counts as not to be had. */
export const mostFruitlessTries = 4;

const firstDelayMs = 250;
const longestDelayMs = 8_000;

/** How long to wait before try `tries` + 1. `random` in [0, 1): half of the delay is jitter, so that a fleet does not knock as one. */
export function retryDelayMs(tries: number, random: number): number {
  const fullMs = Math.min(longestDelayMs, firstDelayMs * 2 ** (tries - 1));
  return fullMs / 2 + (fullMs / 2) * random;
}
