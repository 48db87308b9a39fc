/** How a backend process ended: a signal, an exit code, or nothing known (the link broke and no supervisor told why). */
export type ProcessEnd =
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'unknown' }
  /** A process of another host: nobody here sees how it ended, and most ends there are of hosts and networks. */
  | { readonly kind: 'elsewhere' };

/** Sent from outside: by an operator, a supervisor, or a kernel that is out of memory. No request is to blame. */
const outsideSignals: Readonly<Record<string, number>> = { SIGHUP: 1, SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };

/**
 * True where one of the requests in flight may have ended it: SIGSEGV, SIGFPE, SIGABRT and their like, an exit code that
 * says so (128 + signal, as shells and container runtimes report it, or any failure), or nothing known.
 */
export function blamesRequests(end: ProcessEnd): boolean {
  switch (end.kind) {
    case 'signal':
      return !Object.hasOwn(outsideSignals, end.signal);
    case 'exit':
      return end.code !== 0 && !Object.values(outsideSignals).includes(end.code - 128);
    case 'unknown':
      return true;
    case 'elsewhere':
      return false;
    default:
      return end satisfies never;
  }
}
