import type { ErrorCode, SkeinError } from '../../protocol/errors.ts';
import { fromLinkError } from '../../protocol/link/link-error.ts';
import type { FleetView } from './fleet-view.ts';
import type { ModelEntry } from './model-entry.ts';
import type { FleetReport, LoadTrouble } from './reports.ts';

type Log = (message: string, facts: Record<string, unknown>, level: 'warn') => void;

/** Remembered at most; the oldest is forgotten first. */
const mostKept = 256;
/** Told of in one report: an operator reads the first few; `skein models` has the others. */
const mostReported = 20;
/** The same trouble of the same model is logged again no sooner: whoever asks for it asks often. */
const logAgainMs = 60_000;

interface Kept {
  readonly entry: ModelEntry;
  readonly version: number;
  /** Of the files that did not load. */
  readonly stamp: string;
  readonly backend: string;
  readonly error: SkeinError;
  readonly atMs: number;
  readonly loggedMs: number;
}

/** Loads that came to nothing, by model and version, until they succeed: for the log, the metrics and `skein ps`. */
export class LoadTroubles {
  readonly #kept = new Map<string, Kept>();
  readonly #log: Log;
  readonly #failures = new Map<ErrorCode, number>();

  constructor(log: Log) {
    this.#log = log;
  }

  get totals(): Pick<FleetReport, 'loadFailures' | 'loadFailuresByCode'> {
    let loadFailures = 0;
    for (const count of this.#failures.values()) loadFailures += count;
    return { loadFailures, loadFailuresByCode: Object.fromEntries(this.#failures) };
  }

  /** One try failed; it may go on elsewhere. */
  count({ code }: SkeinError): void {
    this.#failures.set(code, (this.#failures.get(code) ?? 0) + 1);
  }

  /** Nobody loads it any more for now. `backend`: the last that was tried; '' where there was none. */
  note(entry: ModelEntry, version: number, backend: string, error: SkeinError, nowMs: number): void {
    const key = keyOf(entry.name, version);
    const before = this.#kept.get(key);
    const stamp = entry.stampOf(version);
    const isTold = before?.error.code === error.code && before.stamp === stamp && nowMs - before.loggedMs < logAgainMs;
    this.#kept.delete(key); // the newest comes last
    const loggedMs = isTold ? before.loggedMs : nowMs;
    this.#kept.set(key, { entry, version, stamp, backend, error, atMs: nowMs, loggedMs });
    if (this.#kept.size > mostKept) this.#kept.delete(this.#kept.keys().next().value!);
    if (isTold) return;
    const { code, message: reason } = error;
    this.#log('a model does not load', { model: entry.name, version, on: backend || 'none', code, reason }, 'warn');
  }

  /** It loads. */
  forget(entry: ModelEntry, version: number): void {
    this.#kept.delete(keyOf(entry.name, version));
  }

  /** Newest first: those of this router, then those that backends tell of, which other routers asked for. */
  report(fleet: FleetView, nowMs: number): LoadTrouble[] {
    const own = [...this.#kept.values()].filter(isStillSo).reverse();
    const known = new Set(own.map(({ entry, version }) => keyOf(entry.name, version)));
    const told = toldBy(fleet).filter(({ model, version }) => !known.has(keyOf(model, version)));
    return [...own.map((one) => troubleOf(one, nowMs)), ...told].slice(0, mostReported);
  }
}

function keyOf(model: string, version: number): string {
  return `${model}\n${version}`;
}

/** Neither removed nor changed since, and no other backend serves it. */
function isStillSo({ entry, version, stamp }: Pick<Kept, 'entry' | 'version' | 'stamp'>): boolean {
  const isServed = (entry.activity?.ready(entry, version).length ?? 0) > 0;
  return entry.isOffered && !isServed && entry.stampOf(version) === stamp;
}

function troubleOf({ entry, version, backend, error, atMs }: Kept, nowMs: number): LoadTrouble {
  const { code, message: reason } = error;
  return { model: entry.name, version, backend, code, reason, agoMs: Math.round(nowMs - atMs) };
}

/** A backend shows a copy that failed for a while. */
function toldBy(fleet: FleetView): LoadTrouble[] {
  const told: LoadTrouble[] = [];
  for (const { copies, record } of fleet.backends.values()) {
    for (const { facts, entry } of copies.values()) {
      const { model, version, stamp, phase, reason } = facts;
      if (phase !== 'failed' || reason === undefined || !isStillSo({ entry, version, stamp })) continue;
      const { code, message } = fromLinkError(reason);
      told.push({ model, version, backend: record.id, code, reason: message, agoMs: undefined });
    }
  }
  return told;
}
