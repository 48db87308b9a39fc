/** One backend's standing for one model, with the facts that decided it: `explain` prints them, nothing recomputes them. */

export type Verdict =
  | { readonly kind: 'keep'; readonly copy: 'loading' | 'ready' }
  | { readonly kind: 'room'; readonly freeBytes: number; readonly usedShare: number; readonly shareLimit: number }
  | { readonly kind: 'evict'; readonly price: number; readonly demandShare: number }
  /** Would do, but a bound speaks against it: taken when nobody else can. */
  | { readonly kind: 'over_bound'; readonly bound: 'use' | 'demand'; readonly share: number; readonly limit: number }
  | { readonly kind: 'refused'; readonly why: Refusal };

export type Refusal =
  | 'draining'
  | 'suspended'
  | 'excluded' // the caller's wish: it has just failed there
  | 'engine'
  | 'labels'
  | 'too_large'; // larger than all that the backend may use

export interface Candidate {
  readonly backendId: string;
  /** Position in the model's preference list, from 0. */
  readonly rank: number;
  readonly verdict: Verdict;
}
