/**
 * The longest time that `work` let nothing else run on the event loop. Other processes lengthen it, so that only a bound
 * far above what is wanted, and far below what a blocking call would take, tells one from the other.
 */
export async function longestGapMs(work: () => Promise<unknown>): Promise<number> {
  let longestMs = 0;
  let lastMs = performance.now();
  let isDone = false;
  const look = () => {
    const nowMs = performance.now();
    longestMs = Math.max(longestMs, nowMs - lastMs);
    lastMs = nowMs;
    if (!isDone) setTimeout(look, 1);
  };
  const watching = setTimeout(look, 1);
  await work();
  isDone = true;
  clearTimeout(watching);
  look();
  return longestMs;
}
