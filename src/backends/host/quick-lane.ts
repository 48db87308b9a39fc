import type { RunsReport } from '../../protocol/link/runs-report.ts';
import type { Batcher } from '../batching/batcher.ts';
import { QuickRuns } from '../batching/quick-runs.ts';
import type { LoadedModel } from '../engines/engine.ts';
import { type BatchOutcome, type BatchRun, runBatchHere } from './batch-run.ts';
import type { InferWork } from './infer-work.ts';
import type { ServingParts } from './serving-parts.ts';

/** Runs of a copy that are so short that the event loop makes them itself. */
export class QuickLane {
  readonly #parts: ServingParts;
  readonly #learned = new QuickRuns();
  /** Undefined: none of its runs are. */
  readonly #runHere: LoadedModel['runHere'];

  constructor(parts: ServingParts) {
    this.#parts = parts;
    const { splitRows, allowedRows, padsLengths } = parts.batching;
    const isPlain = splitRows === undefined && allowedRows === undefined && padsLengths !== true;
    const hasStrings = [...parts.signatures.values(), parts.signature].some(({ own }) =>
      [...own.inputs, ...own.outputs].some(({ datatype }) => datatype === 'BYTES'),
    );
    this.#runHere = isPlain && !hasStrings ? parts.model.runHere : undefined;
  }

  /** So many rows of what is due may be run here now, 0 for none; Infinity where the options alone say how many. */
  mostRows(batcher: Batcher<InferWork>, underWay: number, nowMs: number): number {
    const { batching, rowsAreGiven, slotsAreGiven } = this.#parts;
    if (this.#runHere === undefined || (slotsAreGiven && underWay > 0)) return 0;
    const due = batcher.due(nowMs);
    if (due === undefined) return 0;
    const wanted = Math.min(due.rows, batching.maxBatchRows);
    const rows = this.#learned.mostRows(due.key, wanted, nowMs);
    if (!rowsAreGiven) return rows;
    return rows === wanted ? Infinity : 0;
  }

  /** Only where `mostRows` let it. `rows` is what the queue counted. */
  run(batch: BatchRun, rows: number): BatchOutcome {
    const outcome = runBatchHere(batch, this.#runHere!);
    this.#learned.ran(batch.items[0]!.key, rows, outcome.times.inferMs, outcome.endedMs);
    return outcome;
  }

  ranElsewhere({ key }: InferWork, rows: number, ms: number): void {
    if (this.#runHere !== undefined) this.#learned.ranElsewhere(key, rows, ms);
  }

  /** For people. */
  report(): Pick<RunsReport, 'onEventLoop'> {
    const longest = this.#learned.longest();
    if (longest === undefined) return {};
    return { onEventLoop: { ...longest, rows: Math.min(longest.rows, this.#parts.batching.maxBatchRows) } };
  }
}
