import type { BackendState } from '../../protocol/link/messages.ts';
import type { BackendEvents } from '../adapter.ts';
import type { CopyLedger } from './copy-ledger.ts';
import type { ModelLister } from './model-lister.ts';

/** Of the server's memory, its queue and its process nothing is known. */
const state: BackendState = {
  budgetBytes: 0,
  usedBytes: 0,
  evictionPrice: 0,
  loadsQueued: 0,
  evictions: 0,
  draining: false,
  pid: 0,
};

/** Between two looks, however much suggests another one. */
const leastGapMs = 500;

/** Keeps the ledger in step with the models that a server has, and tells the router what is new. */
export class ModelWatch {
  readonly #lister: ModelLister;
  readonly #ledger: CopyLedger;
  readonly #events: BackendEvents;
  readonly #everyMs: number;
  /** One look after the other: of two at once the older could be told last. */
  #looks: Promise<void> = Promise.resolve();
  #lookedAtMs = 0;
  #dueMs = 0;
  /** As JSON; '' before the first look. */
  #offered = '';
  #isClosed = false;

  constructor(lister: ModelLister, ledger: CopyLedger, events: BackendEvents, everyMs: number) {
    this.#lister = lister;
    this.#ledger = ledger;
    this.#events = events;
    this.#everyMs = everyMs;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Looks now. Rejects where the server does not tell; what was known holds then. */
  look(): Promise<void> {
    const look = this.#looks.then(() => this.#lookOnce());
    this.#looks = look.catch(() => {});
    return look;
  }

  /** To be called whenever the server has shown that it lives. */
  lookWhenDue(): void {
    if (performance.now() >= this.#dueMs) this.look().catch(() => {});
  }

  /** Something suggests that the models are not what they were. */
  expectChange(): void {
    this.#dueMs = Math.min(this.#dueMs, this.#lookedAtMs + Math.min(leastGapMs, this.#everyMs));
  }

  async #lookOnce(): Promise<void> {
    this.#lookedAtMs = performance.now();
    this.#dueMs = this.#lookedAtMs + this.#everyMs;
    const { sightings, offers } = await this.#lister.survey();
    if (this.#isClosed) return;
    if (sightings.some(({ phase }) => phase === 'loading' || phase === 'unloading')) this.expectChange();
    const { changed, gone } = this.#ledger.apply(sightings);
    const isFirst = this.#offered === '';
    const offered = JSON.stringify(offers);
    const isNewOffer = offered !== this.#offered;
    this.#offered = offered;
    if (isFirst || changed.length > 0 || gone.length > 0) this.#events.onState(state, changed, gone);
    if (isNewOffer) this.#events.onOffers?.(offers);
  }
}
