import type { CopyFacts, CopySpec } from '../../protocol/link/messages.ts';
import { ArrivingRequests } from './arriving-requests.ts';
import type { Copy } from './copy.ts';
import type { CopyFiles } from './copy-files.ts';
import { type CopyState, heldBytes, move } from './copy-state.ts';

/** A copy from the moment it is asked for until it is gone: its state, and what is known of it in that state. */
export class HeldCopy {
  readonly id: number;
  /** `wanted` from when the first request waits for it: others go for it then. */
  spec: CopySpec;
  /** Set while it can serve or is being emptied. */
  serving: Copy | undefined;
  readonly arriving = new ArrivingRequests();
  loadMs = 0;
  /** Settles with the load; never rejects while nobody listens. */
  loading: Promise<void> = Promise.resolve();
  /** Settles when it is gone, once it began to leave. */
  leaving: Promise<void> = Promise.resolve();
  /** When it is expected to be ready, on performance.now(). */
  readyAtMs = 0;
  /** Where its files are, from when they are there. */
  files: CopyFiles | undefined;
  /** While its files are fetched. */
  fetching: CopyFacts['fetching'];
  /** Requests that each router holds for it while it loads. */
  readonly #held = new Map<object, number>();
  #state: CopyState;
  readonly #onChange: () => void;

  constructor(id: number, spec: CopySpec, nowMs: number, onChange: () => void) {
    this.id = id;
    this.spec = spec;
    this.#state = { kind: 'queued', sinceMs: nowMs };
    this.#onChange = onChange;
  }

  get state(): CopyState {
    return this.#state;
  }

  /** Further sessions of the model among it. */
  get heldBytes(): number {
    return heldBytes(this.#state) + (this.serving?.runs.siblingBytes ?? 0);
  }

  /** Requests that it was told of while it took new ones. */
  get takesExpected(): boolean {
    return this.#state.kind === 'ready' || this.#state.kind === 'draining';
  }

  become(state: CopyState): void {
    this.#state = move(this.#state, state);
    this.#onChange();
  }

  /** `requests` 0: the router holds none, or is gone. */
  noteHeld(router: object, requests: number): void {
    if ((this.#held.get(router) ?? 0) === requests) return;
    if (requests === 0) this.#held.delete(router);
    else this.#held.set(router, requests);
    this.#onChange();
  }

  get #heldRequests(): number {
    let sum = 0;
    for (const requests of this.#held.values()) sum += requests;
    return sum;
  }

  facts(nowMs: number): CopyFacts {
    const { id, loadMs, serving } = this;
    const state = this.#state;
    const phase = state.kind === 'queued' ? 'loading' : state.kind === 'gone' ? 'unloading' : state.kind;
    const held = phase === 'loading' || phase === 'warming' ? this.#heldRequests : 0;
    const load = serving?.facts() ?? { slots: 0, inFlight: 0, latencyUs: 0, peakBytes: 0 };
    return {
      id,
      model: this.spec.model,
      version: this.spec.version,
      stamp: this.spec.stamp,
      phase,
      residentBytes: this.heldBytes,
      loadMs,
      ...load,
      ...(held > 0 && { held }),
      ...(phase === 'loading' ? { readyInMs: Math.max(0, Math.round(this.readyAtMs - nowMs)) } : {}),
      ...(this.fetching !== undefined && { fetching: this.fetching }),
      ...(state.kind === 'failed' ? { reason: state.reason } : {}),
    };
  }
}
