import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/**
 * V8 doubles its nursery under load up to 128 MB, and pages once touched stay resident. At this size a collection is rare
 * enough: with 1 MiB, where it begins, what is under way outlives it, and a small request cost a quarter more.
 */
const enoughBytes = 8 * 1024 * 1024;

const checkMs = 200;

/** Lets the nursery of this process grow to what is enough, and no further. */
export function boundNursery(): void {
  const timer = setInterval(() => {
    const nursery = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
    if (nursery === undefined || nursery.space_size < enoughBytes) return;
    setFlagsFromString('--semi-space-growth-factor=1');
    clearInterval(timer);
  }, checkMs).unref();
}
