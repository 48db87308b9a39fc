import type { BackendSession } from '../../adapters/adapter.ts';
import type { CopyFacts } from '../../protocol/link/messages.ts';
import type { CopyLoad } from '../routing/choose-copy.ts';
import type { BackendView } from './backend-view.ts';
import type { ModelEntry } from './model-entry.ts';

/** A request that this router has sent to a copy and that can be taken away from it. */
export interface SentRequest {
  /** The backend is silent: go elsewhere, if there is an elsewhere. */
  onStalled(): void;
}

/** One copy as this router sees it: what its backend says, and what this router itself has sent it. */
export class CopyView implements CopyLoad {
  readonly backend: BackendView;
  readonly entry: ModelEntry;
  readonly sent = new Set<SentRequest>();
  /** It refused a request because it had left: it is not asked again, whatever its last state said. */
  isGone = false;
  #facts: CopyFacts;
  /** Requests of other routers in it, as far as known. */
  #othersInFlight = 0;
  #latencyMs: number;
  #readyAtMs: number | undefined;

  constructor(backend: BackendView, entry: ModelEntry, facts: CopyFacts) {
    this.backend = backend;
    this.entry = entry;
    this.#facts = facts;
    this.#latencyMs = facts.latencyUs / 1000;
    this.#readyAtMs = readyAtMs(facts);
  }

  get facts(): CopyFacts {
    return this.#facts;
  }

  /** It takes requests. One of a backend that drains does so until it has left. */
  get isReady(): boolean {
    if (this.isGone || this.#facts.phase !== 'ready') return false;
    const { standing } = this.backend;
    return standing === 'up' || standing === 'draining';
  }

  /** It is about to leave: others are asked first. */
  get isLeaving(): boolean {
    return this.backend.standing === 'draining';
  }

  get session(): BackendSession {
    return this.backend.session!;
  }

  get inFlight(): number {
    return this.sent.size + this.#othersInFlight;
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** While it loads: when its backend expects it to be ready, what is queued ahead of it included. */
  get readyAtMs(): number | undefined {
    return this.#facts.phase === 'loading' ? this.#readyAtMs : undefined;
  }

  update(facts: CopyFacts): void {
    this.#facts = facts;
    this.#readyAtMs = readyAtMs(facts);
    this.noteLoad(facts.inFlight, facts.latencyUs);
  }

  /** Figures that came with a reply or a state. */
  noteLoad(inFlight: number, latencyUs: number): void {
    this.#othersInFlight = Math.max(0, inFlight - this.sent.size);
    if (latencyUs > 0) this.#latencyMs = latencyUs / 1000;
  }
}

function readyAtMs({ readyInMs }: CopyFacts): number | undefined {
  return readyInMs === undefined ? undefined : performance.now() + readyInMs;
}
