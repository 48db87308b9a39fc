import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves when `holds` does; rejects with what was waited for after a time that only a defect can take. */
export async function until(what: string, holds: () => boolean, patienceMs = 10_000): Promise<void> {
  const startedMs = performance.now();
  while (!holds()) {
    if (performance.now() - startedMs > patienceMs) throw new Error(`waited in vain for ${what}`);
    await sleep(5);
  }
}

/** Resolves when `value` has stayed the same for a while: what was under way has come to rest. */
export async function atRest(value: () => number): Promise<void> {
  let last = value();
  for (let same = 0; same < 5; ) {
    await sleep(20);
    same = value() === last ? same + 1 : 0;
    last = value();
  }
}
