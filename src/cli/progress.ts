import { formatDuration } from '../config/duration.ts';
import type { CommandConsole } from './command-console.ts';

/** Rewritten often for a person who watches, rarely where the lines are kept. */
const watchedEveryMs = 200;
const keptEveryMs = 10_000;

/** Says on stderr what is being done, and how long it has been, until the returned function is called. */
export function showProgress(what: string, { err, isInteractive }: CommandConsole): () => void {
  const startedMs = performance.now();
  const elapsed = () => formatDuration(Math.round(performance.now() - startedMs));
  err(isInteractive ? `${what} …` : `${what}\n`);
  const timer = setInterval(
    () => err(isInteractive ? `\r${what} … ${elapsed()} ` : `${what}: ${elapsed()} so far\n`),
    isInteractive ? watchedEveryMs : keptEveryMs,
  );
  return () => {
    clearInterval(timer);
    if (isInteractive) err('\r\u001b[K');
  };
}
