/**
 * How the budget of a host is divided among its backend processes, one kind of engine each. What nobody needs stands with
 * whoever may have it; what loads wait for comes from the slack of others, then from the process whose copies are worth
 * least per byte (its eviction price): the same bytes then hold what is worth more.
 */
export interface ProcessMemory {
  readonly id: string;
  /** Memory moves between engines only: placement balances processes of one. */
  readonly engine: string;
  /** What it may hold, as it was last told. */
  readonly limitBytes: number;
  /** Most that it may be told. */
  readonly ceilingBytes: number;
  readonly usedBytes: number;
  /** Of loads that wait in it for memory. */
  readonly queuedBytes: number;
  /** Of eviction.ts: 0 while it has room for one more copy; Infinity where nothing may go. */
  readonly evictionPrice: number;
}

interface DivisionOptions {
  /** Kept free in a process beyond what it holds, where nobody else waits: its next loads need not ask. */
  readonly reserveShare: number;
  /** The poorer process gives way only where its price is below this share of the richer one's. */
  readonly priceHysteresis: number;
  /** Moved at a time for a price alone, with no load waiting; 0: not now. */
  readonly stepShare: number;
}

export const defaultDivisionOptions: DivisionOptions = {
  reserveShare: 1 / 16,
  priceHysteresis: 0.75,
  stepShare: 1 / 64,
};

interface Share {
  readonly process: ProcessMemory;
  limitBytes: number;
}

/**
 * New limits by process. Together with what processes still hold above their limits they never exceed the total: one that is
 * to give way is told so first, and the other gets the memory in a later division, when it is free.
 */
export function divideBudget(
  totalBytes: number,
  processes: readonly ProcessMemory[],
  options: DivisionOptions = defaultDivisionOptions,
): ReadonlyMap<string, number> {
  const shares = [...processes]
    .sort(dearestFirst)
    .map((process): Share => ({ process, limitBytes: process.limitBytes }));
  const reserveBytes = options.reserveShare * totalBytes;
  for (const needy of shares) {
    for (const donor of shares) takeSlack(needy, donor, 0, missing(needy, 0));
  }
  handOut(shares, totalBytes, (share) => missing(share, 0));
  handOut(shares, totalBytes, (share) => missing(share, reserveBytes));
  for (const needy of shares) {
    for (const donor of shares) takeSlack(needy, donor, reserveBytes, missing(needy, reserveBytes));
  }
  for (const needy of shares) giveWay(needy, shares, totalBytes, options);
  handOut(shares, totalBytes, ({ process, limitBytes }) => process.ceilingBytes - limitBytes);
  return new Map(shares.map(({ process, limitBytes }) => [process.id, Math.floor(limitBytes)]));
}

/** Bytes below what it holds, waits for, and should have in reserve. One that gives way is missing nothing: it is to evict. */
function missing({ process, limitBytes }: Share, reserveBytes: number): number {
  const { usedBytes, queuedBytes, ceilingBytes } = process;
  if (usedBytes > limitBytes) return 0;
  return Math.max(0, Math.min(ceilingBytes, usedBytes + queuedBytes + reserveBytes) - limitBytes);
}

/** From what no process holds or may hold. */
function handOut(shares: readonly Share[], totalBytes: number, wanted: (share: Share) => number): void {
  for (const share of shares) {
    if (share.process.usedBytes > share.limitBytes) continue;
    const freeBytes = totalBytes - shares.reduce((sum, one) => sum + heldBytes(one), 0);
    const bytes = Math.min(wanted(share), freeBytes);
    if (bytes > 0) share.limitBytes += bytes;
  }
}

/** What it may hold, or holds still. */
function heldBytes({ process, limitBytes }: Share): number {
  return Math.max(limitBytes, process.usedBytes);
}

/** Moves at once what the donor neither holds nor waits for: nothing has to go for it. */
function takeSlack(needy: Share, donor: Share, reserveBytes: number, wantedBytes: number): void {
  if (needy.process.engine === donor.process.engine) return;
  const { usedBytes, queuedBytes } = donor.process;
  const slackBytes = donor.limitBytes - usedBytes - queuedBytes - reserveBytes;
  const bytes = Math.min(slackBytes, wantedBytes, needy.process.ceilingBytes - needy.limitBytes);
  if (bytes <= 0) return;
  donor.limitBytes -= bytes;
  needy.limitBytes += bytes;
}

/** Lowers the limits of those whose copies are worth less; what they free is handed out by a later division. */
function giveWay(needy: Share, shares: readonly Share[], totalBytes: number, options: DivisionOptions): void {
  const { evictionPrice, queuedBytes, engine, ceilingBytes } = needy.process;
  if (evictionPrice === 0) return;
  const step = queuedBytes > 0 ? 0 : Math.min(options.stepShare * totalBytes, ceilingBytes - needy.limitBytes);
  const others = shares.filter(({ process }) => process.engine !== engine).reverse();
  const comingBytes = others.reduce((sum, one) => sum + Math.max(0, one.process.usedBytes - one.limitBytes), 0);
  let wantedBytes = Math.max(missing(needy, 0), step) - comingBytes;
  for (const donor of others) {
    if (wantedBytes <= 0 || donor.process.evictionPrice >= options.priceHysteresis * evictionPrice) return;
    const bytes = Math.min(wantedBytes, donor.limitBytes);
    donor.limitBytes -= bytes;
    wantedBytes -= bytes;
  }
}

function dearestFirst(a: ProcessMemory, b: ProcessMemory): number {
  if (a.evictionPrice !== b.evictionPrice) return b.evictionPrice > a.evictionPrice ? 1 : -1;
  return a.id < b.id ? -1 : 1;
}
