import type { BackendSession } from '../../adapters/adapter.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { CopyFacts } from '../../protocol/link/messages.ts';
import { NumberedTable } from '../../protocol/link/numbered-table.ts';
import type { CopyLoad } from '../routing/choose-copy.ts';
import type { BackendView } from './backend-view.ts';
import type { ModelEntry } from './model-entry.ts';

/** A request that this router has sent to a copy and that can be taken away from it. */
export interface SentRequest {
  /** Of this router; no other that is under way has it. */
  readonly number: number;
  /** The backend is silent: go elsewhere, if there is an elsewhere. */
  onStalled(): void;
}

/** One copy as this router sees it: what its backend says, and what this router itself has sent it. */
export class CopyView implements CopyLoad {
  readonly backend: BackendView;
  readonly entry: ModelEntry;
  readonly sent = new NumberedTable<SentRequest>();
  /** This router moves it: a successor is loaded elsewhere, or is there. */
  isMoving = false;
  /** The successor serves: this one goes as soon as every router knows. */
  isSucceeded = false;
  #isGone = false;
  #isUnloading = false;
  #facts: CopyFacts;
  /** Requests of other routers in it, as far as known. */
  #othersInFlight = 0;
  /** Requests that its backend was told are held here until it is ready. */
  #toldHeld = 0;
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

  /** It refused a request because it had left, or was told to leave: whatever its last state said. */
  get isGone(): boolean {
    return this.#isGone || this.#isUnloading;
  }

  /** It takes requests. One of a backend that drains does so until it has left. */
  get isReady(): boolean {
    if (this.isGone || this.#facts.phase !== 'ready') return false;
    const { standing } = this.backend;
    return standing === 'up' || standing === 'draining';
  }

  /** It has left or is about to: others are asked first. */
  get isLeaving(): boolean {
    return this.isGone || this.isSucceeded || this.backend.standing === 'draining';
  }

  /** Of the model's files as they are now, and of a version that is served. */
  get isCurrent(): boolean {
    const { entry, facts } = this;
    return (
      entry.repository !== undefined && entry.serves(facts.version) && facts.stamp === entry.stampOf(facts.version)
    );
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

  get #isComing(): boolean {
    return this.#facts.phase === 'loading' || this.#facts.phase === 'warming';
  }

  /** Requests that other routers hold until it is ready, as far as known. */
  get heldByOthers(): number {
    return this.#isComing ? Math.max(0, (this.#facts.held ?? 0) - this.#toldHeld) : 0;
  }

  /** So many requests are held here: its backend tells all routers the sum. */
  tellHeld(requests: number): void {
    const { session } = this.backend;
    if (!this.#isComing || requests === this.#toldHeld || session?.held === undefined) return;
    this.#toldHeld = requests;
    session.held(this.#facts, requests).catch(() => {}); // one of an older version makes nothing of it
  }

  /** Nobody is sent there until its backend says more of it. */
  noteGone(): void {
    this.#isGone = true;
    this.entry.active().forgetReady();
  }

  /**
   * Sends it nobody any more and has its backend free it, once the requests in it are answered; the backend's states say
   * so only later. Where it rejects, the copy stays and serves.
   */
  async unload(): Promise<void> {
    this.#isUnloading = true;
    this.entry.active().forgetReady();
    try {
      await this.backend.session?.unload(this.#facts);
      this.#isGone = true;
    } catch (fault) {
      // A backend that is lost meanwhile has unloaded it in its own way.
      if (SkeinError.from(fault).code !== 'link_broken') throw fault;
    } finally {
      this.#isUnloading = false;
      this.entry.active().forgetReady();
    }
  }

  /** States come in order: this one is newer than what was known. */
  update(facts: CopyFacts): void {
    this.#facts = facts;
    this.#isGone = false;
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
