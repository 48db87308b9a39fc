/**
 * The thread of a pacer: wakes the main thread when the next request is due. Timers of the event loop are late by up to two
 * milliseconds, which would be counted as the server's; a futex wait is late by a tenth.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { arrivalsOf } from './arrivals.ts';
import { type PacerData, pacerCell } from './pacer.ts';
import { seededRandom } from './random.ts';

/** Gaps below this are waited for together: waking up costs more than sending. */
const shortestWaitMs = 0.1;

const { cell, startMs, kind, perSecond, seed } = workerData as PacerData;
const gap = arrivalsOf(kind, perSecond, seededRandom(seed));

for (let dueMs = startMs + gap(); Atomics.load(cell, pacerCell.isStopped) === 0; dueMs += gap()) {
  const waitMs = dueMs - monotonicMs();
  if (waitMs >= shortestWaitMs) Atomics.wait(cell, pacerCell.isStopped, 0, waitMs);
  else if (waitMs > 0) continue;
  // At most one call is on its way: a busy main thread finds all that is due at once.
  if (Atomics.exchange(cell, pacerCell.isCalled, 1) === 0) parentPort?.postMessage(0);
}

/** The same clock in every thread, which performance.now() is not. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
