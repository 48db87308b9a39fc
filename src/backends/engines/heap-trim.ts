import koffi, { type LibraryHandle } from 'koffi';

/**
 * Gives memory that the C library keeps after a free back to the system: glibc holds on to the chunks of an unloaded
 * model (40 MB after MobileNetV2), which a budget counted in resident bytes cannot allow. Other C libraries give back by
 * themselves; there this does nothing.
 */
export function heapTrimmer(): () => Promise<void> {
  const trim = findMallocTrim();
  if (trim === undefined) return () => Promise.resolve();
  let running: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  const start = () =>
    new Promise<void>((resolve) => {
      trim.async(0, () => {
        running = undefined;
        resolve();
      });
    });
  return () => {
    if (running === undefined) {
      running = start();
      return running;
    }
    // One that is under way may be past what was freed just now.
    next ??= running.then(() => {
      next = undefined;
      running = start();
      return running;
    });
    return next;
  };
}

function findMallocTrim(): ReturnType<LibraryHandle['func']> | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    ownProcess = koffi.load(null);
    return ownProcess.func('int malloc_trim(size_t pad)');
  } catch {
    return undefined; // musl
  }
}

/** Held so that koffi does not unload it. */
let ownProcess: LibraryHandle | undefined;
