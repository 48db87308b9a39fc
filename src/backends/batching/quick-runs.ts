/** A run that takes no longer than this is over before a thread has been woken for it and has told of its end. */
const quickMs = 0.1;

/** A batch that was never run here is, once a thread took no longer for one like it, there and back. */
const firstTryMs = 2;

/** Each run moves what is known by so much, up or down: to the median, which runs that lost their core do not change. */
const step = 0.05;

/** What has become slow is tried again after the first time, then after twice as long. */
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;

/** Keys are made of what clients send. */
const maxKeys = 64;

interface Cell {
  ms: number;
  /** While it is slow. */
  retryAtMs: number;
  pauseMs: number;
}

/** Of one key, by rows in powers of two. */
interface KeyCells {
  readonly here: (Cell | undefined)[];
  /** The shortest run on a thread. */
  readonly elsewhereMs: (number | undefined)[];
}

/**
 * Which batches of a model are so short that they are run on the event loop itself, learned by key and rows: what shares a
 * key has the same shapes but for its rows. What that can cost others is bounded: a batch is tried here when one like it,
 * or of half its rows, was seen to be short, and goes back to the threads when it turns out to be long.
 */
export class QuickRuns {
  readonly #keys = new Map<string, KeyCells>();

  /** How many of so many rows the next run may have on the event loop; 0 for none. */
  mostRows(key: string, rows: number, nowMs: number): number {
    const cells = this.#keys.get(key);
    if (cells === undefined) return 0;
    for (let size = sizeOf(rows); size >= 0; size--) {
      if (isQuick(cells, size, nowMs)) return Math.min(rows, 2 ** size);
      // Many small runs in place of one that is known to be long gain nothing.
      if (cells.here[size] !== undefined) return 0;
    }
    return 0;
  }

  /** One on the event loop. */
  ran(key: string, rows: number, ms: number, nowMs: number): void {
    const { here } = this.#cellsOf(key);
    const size = sizeOf(rows);
    const known = here[size];
    if (known === undefined) {
      here[size] = { ms, retryAtMs: nowMs + firstPauseMs, pauseMs: firstPauseMs };
      return;
    }
    if (known.ms > quickMs) {
      known.ms = ms;
      known.pauseMs = Math.min(longestPauseMs, 2 * known.pauseMs);
      known.retryAtMs = nowMs + known.pauseMs;
      return;
    }
    known.ms *= ms > known.ms ? 1 + step : 1 / (1 + step);
    if (known.ms <= quickMs) return;
    known.pauseMs = firstPauseMs;
    known.retryAtMs = nowMs + firstPauseMs;
  }

  /** One on a thread, the way there and back included. */
  ranElsewhere(key: string, rows: number, ms: number): void {
    const { elsewhereMs } = this.#cellsOf(key);
    const size = sizeOf(rows);
    elsewhereMs[size] = Math.min(ms, elsewhereMs[size] ?? Infinity);
  }

  /** The most rows that are quick now, and the longest such run; undefined where none is. */
  longest(): { readonly rows: number; readonly ms: number } | undefined {
    let longest: { rows: number; ms: number } | undefined;
    for (const { here } of this.#keys.values()) {
      for (const [size, cell] of here.entries()) {
        if (cell === undefined || cell.ms > quickMs) continue;
        longest = { rows: Math.max(2 ** size, longest?.rows ?? 0), ms: Math.max(cell.ms, longest?.ms ?? 0) };
      }
    }
    return longest;
  }

  #cellsOf(key: string): KeyCells {
    let cells = this.#keys.get(key);
    if (cells === undefined) {
      if (this.#keys.size >= maxKeys) this.#keys.clear();
      cells = { here: [], elsewhereMs: [] };
      this.#keys.set(key, cells);
    }
    return cells;
  }
}

function isQuick({ here, elsewhereMs }: KeyCells, size: number, nowMs: number): boolean {
  const known = here[size];
  if (known !== undefined) return known.ms <= quickMs || nowMs >= known.retryAtMs;
  const half = here[size - 1];
  return (half?.ms ?? Infinity) <= quickMs || (elsewhereMs[size] ?? Infinity) <= firstTryMs;
}

function sizeOf(rows: number): number {
  return Math.ceil(Math.log2(rows));
}
