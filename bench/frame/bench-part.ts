import type { Spread } from './spread.ts';

/** One question that the bench answers, with everybody who is compared in one run. */
export interface BenchPart {
  /** A heading of the results. */
  readonly title: string;
  /** How it is measured, and what it leaves out. */
  readonly method: string;
  run(bench: Bench): Promise<PartResult>;
}

/** What a run of the bench asks of every part. */
export interface Bench {
  /** How often each contender has its turn. The figures are medians of so many. */
  readonly rounds: number;
  /** Length of a turn. */
  readonly seconds: number;
  /** Progress, on stderr. */
  say(text: string): void;
}

export interface PartResult {
  readonly bars: readonly Bar[];
  readonly tables: readonly ResultTable[];
  /** Who was not there, what went wrong. */
  readonly notes: readonly string[];
}

/** What must hold. */
export interface Bar {
  /** What is measured: `CPU of the router per small request, over haproxy's`. */
  readonly what: string;
  readonly sense: 'at most' | 'at least';
  readonly limit: number;
  /** '' for a ratio. */
  readonly unit: string;
  /** Or why there is none. */
  readonly figure: Spread | { readonly missing: string };
}

export interface ResultTable {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly ResultRow[];
  /** The column that the picture shows. */
  readonly drawn?: string;
}

export interface ResultRow {
  readonly name: string;
  readonly cells: readonly (Spread | string)[];
}

type Verdict = 'met' | 'missed' | 'not measured';

/** By the median. */
export function verdictOf({ figure, sense, limit }: Bar): Verdict {
  if ('missing' in figure) return 'not measured';
  return (sense === 'at most' ? figure.median <= limit : figure.median >= limit) ? 'met' : 'missed';
}
