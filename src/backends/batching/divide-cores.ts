/** What a backend process of this host did with its cores lately. */
export interface CoreWish {
  readonly id: string;
  /** Cores that its runs held on average; all of the host's for the time in which some had to wait. */
  readonly wantedCores: number;
}

/**
 * How many cores the runs of each process may hold at once, from the cores of the host. Those that want more than there
 * are get as many as each other; what a process has no use for goes to the others. Every process may hold one, so that a
 * first request never asks for leave; what nobody wants stands open to all, so that one which begins alone has the whole
 * machine.
 */
export function divideCores(cores: number, wishes: readonly CoreWish[]): ReadonlyMap<string, number> {
  // Less than half a core is not worth keeping one free for: its runs are short, and the system fits them in between.
  const dealt = wishes.map(({ id, wantedCores }) => ({ id, wanted: Math.min(cores, Math.round(wantedCores)), has: 0 }));
  let left = cores;
  for (let isDealing = true; isDealing; ) {
    isDealing = false;
    for (const process of dealt) {
      if (left === 0 || process.has >= process.wanted) continue;
      process.has += 1;
      left -= 1;
      isDealing = true;
    }
  }
  return new Map(dealt.map(({ id, has }) => [id, Math.max(1, has + left)]));
}
