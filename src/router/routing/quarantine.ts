/** How a backend process ended: a signal, an exit code, or nothing known (the link broke and no supervisor told why). */
export type ProcessEnd =
  | { readonly kind: 'signal'; readonly signal: string }
  | { readonly kind: 'exit'; readonly code: number }
  | { readonly kind: 'unknown' };

export interface InFlightRequest {
  readonly requestId: string;
  readonly model: string;
  /** Hash of the body, by which a convicted request is known when it comes again. */
  readonly bodyHash: string;
  /** True where this was the lone retry of a suspect in a quarantine process. */
  readonly alone: boolean;
}

/** What becomes of a request that was in flight when its process ended. */
export type CrashVerdict = 'retry' | 'retry_alone' | 'convicted';
