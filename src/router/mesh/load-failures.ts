import type { SkeinError } from '../../protocol/errors.ts';

/** Why a version of a model is not tried for a while. */
interface LoadFailure {
  readonly error: SkeinError;
  /** Of the files that did not load: others may. */
  readonly stamp: string;
  /** Until then the stored error is the answer; doubled with every failure. */
  readonly untilMs: number;
  readonly backoffMs: number;
}

/** A load that failed is not tried again for so long at first. */
const firstBackoffMs = 1_000;
const maxBackoffMs = 60_000;

/** The last loads of one model that failed, by version: one that is broken says nothing of the others. */
export class LoadFailures {
  readonly #byVersion = new Map<number, LoadFailure>();

  remember(version: number, stamp: string, error: SkeinError, nowMs: number): void {
    const before = this.#byVersion.get(version);
    const backoffMs = before?.stamp === stamp ? Math.min(maxBackoffMs, 2 * before.backoffMs) : firstBackoffMs;
    this.#byVersion.set(version, { error, stamp, untilMs: nowMs + backoffMs, backoffMs });
  }

  /** The answer to who asks for it now; undefined where it may be tried. */
  current(version: number, stamp: string, nowMs: number): SkeinError | undefined {
    const failure = this.#byVersion.get(version);
    return failure !== undefined && failure.stamp === stamp && nowMs < failure.untilMs ? failure.error : undefined;
  }

  /** How the last load of these files failed, however long ago; undefined where it did not. */
  last(version: number, stamp: string): SkeinError | undefined {
    const failure = this.#byVersion.get(version);
    return failure?.stamp === stamp ? failure.error : undefined;
  }

  /** It loads. */
  forget(version: number): void {
    this.#byVersion.delete(version);
  }

  clear(): void {
    this.#byVersion.clear();
  }
}
