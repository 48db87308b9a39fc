import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { ArrivalKind } from './arrivals.ts';

/** What a pacer's thread is told. */
export interface PacerData {
  readonly cell: Int32Array<SharedArrayBuffer>;
  /** Of the monotonic clock. */
  readonly startMs: number;
  readonly kind: ArrivalKind;
  readonly perSecond: number;
  readonly seed: number;
}

/** Places in the shared cell. */
export const pacerCell = { isStopped: 0, isCalled: 1 } as const;

interface Pacer {
  /** When the arrivals begin, by performance.now(). */
  readonly startMs: number;
  stop(): void;
}

/** Leaves the thread time to start. */
const leadMs = 150;

/**
 * Calls when arrivals of this seed are due, or a moment later for all that became due meanwhile. The caller draws the same
 * arrivals itself to know which those are.
 */
export function startPacer(arrivals: Omit<PacerData, 'cell' | 'startMs'>, onDue: () => void): Pacer {
  const cell = new Int32Array(new SharedArrayBuffer(8));
  const startMs = performance.now() + leadMs;
  const monotonicMs = Number(process.hrtime.bigint()) / 1e6 + leadMs;
  const source = fileURLToPath(new URL('./pacer-thread.ts', import.meta.url));
  const file = existsSync(source) ? source : source.replace(/\.ts$/, '.js');
  const workerData: PacerData = { ...arrivals, cell, startMs: monotonicMs };
  const thread = new Worker(file, { workerData });
  thread.on('message', () => {
    Atomics.store(cell, pacerCell.isCalled, 0);
    onDue();
  });
  thread.on('error', (fault) => {
    throw fault;
  });
  return {
    startMs,
    stop: () => {
      Atomics.store(cell, pacerCell.isStopped, 1);
      Atomics.notify(cell, pacerCell.isStopped);
      thread.unref();
    },
  };
}
