/** One backend's standing for one model, with the facts that decided it: `explain` prints them, nothing recomputes them. */

export type Verdict =
  | { readonly kind: 'keep'; readonly copy: 'loading' | 'ready' }
  | { readonly kind: 'room'; readonly freeBytes: number; readonly usedShare: number; readonly limitShare: number }
  /** Has room, but uses more than the bound: taken when nobody within the bound has room. */
  | { readonly kind: 'over_bound'; readonly freeBytes: number; readonly usedShare: number; readonly limitShare: number }
  /** `effectivePrice` is the price, raised by excess demand. */
  | { readonly kind: 'evict'; readonly price: number; readonly effectivePrice: number }
  /** Could evict too, but comes after the first choices of the list. */
  | { readonly kind: 'not_considered'; readonly price: number }
  | { readonly kind: 'refused'; readonly why: Refusal };

export type Refusal =
  | 'draining'
  | 'suspended'
  | 'excluded' // the caller's wish: it has just failed there
  | 'engine'
  | 'labels'
  | 'taint'
  | 'too_large' // larger than all that the backend may use
  | 'nothing_to_evict';

export interface Candidate {
  readonly backendId: string;
  /** Position in the model's preference list, from 0; -1 for a backend that can hold nothing at all. */
  readonly rank: number;
  readonly verdict: Verdict;
}

/** One sentence for people, as `explain` prints it. */
export function describeCandidate(candidate: Candidate): string {
  return `${candidate.backendId} (${ordinal(candidate.rank)}): ${describeVerdict(candidate.verdict)}`;
}

function describeVerdict(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'keep':
      return verdict.copy === 'ready' ? 'holds a copy, which stays' : 'is loading a copy, which stays';
    case 'room':
      return `has room: ${bytes(verdict.freeBytes)} free, ${percent(verdict.usedShare)} used of at most ${percent(verdict.limitShare)}`;
    case 'over_bound':
      return `has room, but more than its part of what is loaded: ${percent(verdict.usedShare)} used, ${percent(verdict.limitShare)} at most`;
    case 'evict':
      return verdict.effectivePrice > verdict.price
        ? `is full: eviction price ${price(verdict.price)}, counted as ${price(verdict.effectivePrice)} for its demand`
        : `is full: eviction price ${price(verdict.price)}`;
    case 'not_considered':
      return `is full and comes after the first choices; eviction price ${price(verdict.price)}`;
    case 'refused':
      return refusalText[verdict.why];
    default:
      return verdict satisfies never;
  }
}

const refusalText: Readonly<Record<Refusal, string>> = {
  draining: 'is being drained',
  suspended: 'does not answer',
  excluded: 'has just failed for this request',
  engine: "does not run the model's engine",
  labels: 'lacks a label that the model requires',
  taint: 'has a taint that the model does not tolerate',
  too_large: 'may use less memory than the model needs',
  nothing_to_evict: 'is full of copies that may not be evicted',
};

function ordinal(rank: number): string {
  return rank < 0 ? 'no choice' : `choice ${rank + 1}`;
}

function bytes(count: number): string {
  return `${(count / 2 ** 20).toFixed(1)} MiB`;
}

function percent(share: number): string {
  const hundredths = 100 * share;
  // Of a fleet that is nearly empty all shares would look the same.
  return `${hundredths >= 1 || hundredths === 0 ? hundredths.toFixed(1) : hundredths.toPrecision(2)} %`;
}

function price(value: number): string {
  return value === 0 || value >= 0.001 ? value.toPrecision(3) : value.toExponential(2);
}
