/** How the runs of one copy share the cores: so many at once, each by a session of so many threads. */
export interface RunLayout {
  readonly threads: number;
  readonly slots: number;
}

export interface RunSetting extends RunLayout {
  /** The most rows that are joined into one run. */
  readonly rows: number;
}

interface LayoutLimits {
  /** Of the process. */
  readonly cores: number;
  /** Of the session that is there from the beginning. */
  readonly threads: number;
  /** The user wrote how many threads a run has: no other session is made. */
  readonly threadsAreGiven: boolean;
  /** Runs at once that the user wrote; undefined where they are to be chosen. */
  readonly givenSlots: number | undefined;
}

/** Beyond that many threads, runs of models of usual size gain nothing. */
const mostThreads = 16;

/**
 * The layouts worth knowing, the one to begin with first: as many runs as have cores of their own for 1, 2, 4, … threads,
 * and as many runs as there are cores side by side in the first session, whose threads they then share: the gaps of one
 * run are filled by another without a second session.
 */
export function layoutsOf({ cores, threads, threadsAreGiven, givenSlots }: LayoutLimits): readonly RunLayout[] {
  if (givenSlots !== undefined) return [{ threads, slots: givenSlots }];
  const first = { threads, slots: Math.max(1, Math.floor(cores / threads)) };
  const shared = { threads, slots: cores };
  const layouts = [first, ...(shared.slots > first.slots ? [shared] : [])];
  if (threadsAreGiven) return layouts;
  for (let count = 1; count <= Math.min(cores, mostThreads); count *= 2) {
    if (count !== threads) layouts.push({ threads: count, slots: Math.floor(cores / count) });
  }
  return layouts;
}

/** The sizes that are told apart: powers of two, and the largest. */
export function rowLadder(maxRows: number): readonly number[] {
  const ladder: number[] = [];
  for (let rows = 1; rows < maxRows; rows *= 2) ladder.push(rows);
  ladder.push(maxRows);
  return ladder;
}

/** How many rows are there at once is told apart in powers of two, up to 2 ** this. */
export const topLevel = 7;

/** The level of so many rows queued or running: 0 for one, 1 for two, 2 for up to four. */
export function levelOf(rows: number): number {
  return Math.min(topLevel, rows <= 1 ? 0 : 32 - Math.clz32(rows - 1));
}

/** What `2 ** level` rows can fill, no setting twice, smaller batches first. */
export function settingsAt(
  level: number,
  layouts: readonly RunLayout[],
  ladder: readonly number[],
): readonly RunSetting[] {
  const population = 2 ** level;
  const found = new Map<string, RunSetting>();
  for (const rows of ladder) {
    for (const { threads, slots } of layouts) {
      const setting = { threads, slots: Math.min(slots, population), rows };
      const isFilled = setting.slots * rows <= population || rows === ladder[0];
      if (isFilled) found.set(settingKey(setting), setting);
    }
  }
  return [...found.values()];
}

export function settingKey({ threads, slots, rows }: RunSetting): string {
  return `${threads}.${slots}.${rows}`;
}

export function isSameLayout(a: RunLayout, b: RunLayout): boolean {
  return a.threads === b.threads && a.slots === b.slots;
}
