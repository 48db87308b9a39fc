import type { ErrorCode, SkeinError } from '../../protocol/errors.ts';
import { DurationHistogram } from './duration-histogram.ts';
import { type FailureReason, failureReason } from './failure-reason.ts';
import type { ModelLabels } from './model-labels.ts';

/** What the front counts of one model. */
class ModelCounts {
  readonly durations = new DurationHistogram();
  readonly failures: Record<FailureReason, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
}

/**
 * Counts what passes through the servers of one process. No metrics library on this path: a request costs a look-up and
 * a few additions, and the library sees the totals when somebody scrapes.
 */
export class FrontMetrics {
  readonly models = new Map<string, ModelCounts>();
  /** Answers that were errors, by code. */
  readonly errors = new Map<ErrorCode, number>();
  /** Requests and connections that were turned away before the mesh saw them, by the code of the error. */
  readonly refusals = new Map<ErrorCode, number>();
  connections = 0;
  readonly #labels: ModelLabels;

  constructor(labels: ModelLabels) {
    this.#labels = labels;
  }

  /** An inference came to its end: answered, or failed with `error`. Without a model where that is not known to exist. */
  inferred(model: string | undefined, seconds: number, error: SkeinError | undefined): void {
    if (error !== undefined) {
      add(this.errors, error.code);
      if (error.kind === 'not_found') return; // the name may be one that the client made up
    }
    if (model === undefined) return;
    const counts = this.models.get(model) ?? this.#countsOf(model);
    counts.durations.observe(seconds);
    if (error !== undefined) counts.failures[failureReason(error.code)]++;
  }

  refused(code: ErrorCode): void {
    add(this.refusals, code);
  }

  forget(label: string): void {
    this.models.delete(label);
  }

  #countsOf(model: string): ModelCounts {
    const label = this.#labels.labelOf(model);
    let counts = this.models.get(label);
    if (counts === undefined) {
      counts = new ModelCounts();
      this.models.set(label, counts);
    }
    return counts;
  }
}

function add(counts: Map<ErrorCode, number>, code: ErrorCode): void {
  counts.set(code, (counts.get(code) ?? 0) + 1);
}
