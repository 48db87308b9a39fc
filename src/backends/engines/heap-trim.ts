import { glibcFunction } from '../../protocol/native/c-library.ts';

/**
 * Gives memory that the C library keeps after a free back to the system: glibc holds on to the chunks of an unloaded
 * model (40 MB after MobileNetV2) and to those of large bodies, which a budget counted in resident bytes cannot allow. Other C libraries give back by
 * themselves; there this does nothing.
 */
export function heapTrimmer(): () => Promise<void> {
  const trim = glibcFunction('int malloc_trim(size_t pad)');
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
