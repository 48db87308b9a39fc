import { textTable } from '../../src/cli/text-table.ts';
import { percentile } from '../fixtures/traffic/latency.ts';
import { type Entry, failures, type Ledger, type Verdict } from './ledger.ts';
import type { PlannedFault } from './schedule.ts';

/** One fault and what came of it. Times of performance.now(), in milliseconds. */
export interface Episode extends Pick<PlannedFault, 'kind' | 'target' | 'variant'> {
  readonly fromMs: number;
  readonly endedMs: number;
  /** When every router saw the whole fleet again; undefined where that did not come. */
  readonly wholeMs: number | undefined;
  /** Requests that were due before belong to it. */
  readonly untilMs: number;
  /** What went wrong with the fault itself, or that this machine cannot do it. */
  readonly note: string;
}

export interface EpisodeRow extends Pick<Episode, 'kind' | 'target' | 'variant' | 'note'> {
  readonly atS: number;
  readonly heldS: number;
  readonly requests: number;
  readonly failed: number;
  /** Refusals and broken answers that the fault explains. */
  readonly allowed: number;
  readonly slowestMs: number;
  /** From the fault until requests were as quick as before, and until the fleet was whole. */
  readonly quickAfterS: number;
  readonly wholeAfterS: number | undefined;
}

const bucketMs = 500;

export function rowOf(episode: Episode, entries: readonly Entry[], ledger: Ledger, facts: RunFacts): EpisodeRow {
  const { kind, target, variant, note, fromMs, endedMs, wholeMs, untilMs } = episode;
  const own = entries.filter(({ dueMs }) => dueMs >= fromMs && dueMs < untilMs);
  const verdicts = own.map((entry) => ledger.verdict(entry));
  return {
    ...{ kind, target, variant, note },
    atS: seconds(fromMs - facts.startMs),
    heldS: seconds(endedMs - fromMs),
    requests: own.length,
    failed: verdicts.filter(isFailure).length,
    allowed: verdicts.filter((verdict) => verdict === 'allowed').length,
    slowestMs: Math.round(own.reduce((most, entry) => Math.max(most, waitMs(entry)), 0)),
    quickAfterS: seconds(slowUntilMs(own, facts.slowMs) - fromMs),
    wholeAfterS: wholeMs === undefined ? undefined : seconds(wholeMs - fromMs),
  };
}

export interface RunFacts {
  readonly startMs: number;
  /** What counts as slow: far beyond what was seen without a fault. */
  readonly slowMs: number;
}

/** The end of the last half second in which one request of twenty was slow; -Infinity where there was none. */
function slowUntilMs(entries: readonly Entry[], slowMs: number): number {
  const waits = new Map<number, number[]>();
  for (const entry of entries) {
    const bucket = Math.floor(entry.dueMs / bucketMs);
    waits.set(bucket, [...(waits.get(bucket) ?? []), waitMs(entry)]);
  }
  const slow = [...waits].filter(([, own]) => percentile(own, 95) > slowMs).map(([bucket]) => (bucket + 1) * bucketMs);
  return Math.max(Number.NEGATIVE_INFINITY, ...slow);
}

export function waitMs({ dueMs, answers }: Entry): number {
  return (answers[0]?.atMs ?? Number.POSITIVE_INFINITY) - dueMs;
}

export function isFailure(verdict: Verdict): boolean {
  return failures.includes(verdict);
}

/** Each kind of failure with its count and one of its requests. */
export function failureLines(entries: readonly Entry[], ledger: Ledger, startMs: number): string[] {
  const kinds = new Map<string, { count: number; first: Entry }>();
  for (const entry of entries) {
    const verdict = ledger.verdict(entry);
    if (!isFailure(verdict)) continue;
    const what = (entry.answers[0]?.what ?? '').replace(/\d+(\.\d+)?/g, '#').slice(0, 300);
    const kind = `${verdict} ${what}`.trim();
    const known = kinds.get(kind);
    kinds.set(kind, { count: (known?.count ?? 0) + 1, first: known?.first ?? entry });
  }
  return [...kinds].map(([kind, { count, first }]) => {
    const { number, model, dueMs, answers, givenUp } = first;
    const routers = [...givenUp, ...answers].map(({ router }) => router).join(', ');
    const waited = Number.isFinite(waitMs(first)) ? `, waited ${Math.round(waitMs(first))} ms` : '';
    const at = seconds(dueMs - startMs);
    const said = givenUp.find((one) => one.said !== '')?.said;
    const seen = said === undefined ? '' : `; ${said}`;
    return `${count} x ${kind} (first: request ${number} for ${model} at ${at} s through ${routers}${waited}${seen})`;
  });
}

export function episodeTable(rows: readonly EpisodeRow[]): string {
  const headings = ['fault', 'target', 'how', 'at s', 'held s', 'requests', 'failed', 'allowed', 'slowest ms'];
  return textTable(
    [...headings, 'quick after s', 'whole after s'],
    rows.map((row) => [
      ...[row.kind, row.target, row.note || row.variant, row.atS.toFixed(1), row.heldS.toFixed(1)],
      ...[row.requests, row.failed, row.allowed, row.slowestMs].map(String),
      ...[row.quickAfterS.toFixed(1), row.wholeAfterS?.toFixed(1) ?? 'never'],
    ]),
  );
}

/** With one digit; 0 for what never was. */
function seconds(ms: number): number {
  return Number.isFinite(ms) ? Math.max(0, Math.round(ms / 100) / 10) : 0;
}
