import type { LinkError } from '../../protocol/link/messages.ts';

/**
 * The life of a copy: one version of one model in this process.
 *
 *   queued -> loading -> warming -> ready <-> draining -> unloading -> gone
 *      |         |          |
 *      +---------+----------+--> failed
 *
 * A state carries what is true in it and nothing else. `failed` and `gone` hold no memory; the copy is then forgotten
 * and its number is never used again.
 */
export type CopyState =
  /** Waits for a place among the loads and for memory. */
  | { readonly kind: 'queued'; readonly sinceMs: number }
  | { readonly kind: 'loading'; readonly sinceMs: number; readonly expectedBytes: number }
  | { readonly kind: 'warming'; readonly sinceMs: number; readonly residentBytes: number }
  | { readonly kind: 'ready'; readonly sinceMs: number; readonly residentBytes: number }
  /** Takes no new requests; those in it are answered. */
  | { readonly kind: 'draining'; readonly sinceMs: number; readonly residentBytes: number }
  | { readonly kind: 'unloading'; readonly sinceMs: number; readonly residentBytes: number }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly reason: LinkError };

/** Every legal move. One that is not here is a defect, never a race to be tolerated. */
const moves = {
  queued: ['loading', 'failed'],
  loading: ['warming', 'failed'],
  warming: ['ready', 'failed', 'unloading'],
  ready: ['draining'],
  draining: ['unloading'],
  unloading: ['gone', 'failed'],
  gone: [],
  failed: [],
} as const satisfies Record<CopyState['kind'], readonly CopyState['kind'][]>;

/** The sole mover. Throws on an illegal move, naming both states. */
export function move(from: CopyState, to: CopyState): CopyState {
  if (!(moves[from.kind] as readonly string[]).includes(to.kind)) {
    throw new Error(`a copy that is ${from.kind} cannot become ${to.kind}`);
  }
  return to;
}

/** Bytes that the copy holds now or is about to hold. */
export function heldBytes(state: CopyState): number {
  switch (state.kind) {
    case 'loading':
      return state.expectedBytes;
    case 'warming':
    case 'ready':
    case 'draining':
    case 'unloading':
      return state.residentBytes;
    case 'queued':
    case 'gone':
    case 'failed':
      return 0;
    default:
      return state satisfies never;
  }
}
