import type { BackendEvents } from '../../src/adapters/adapter.ts';
import type { BackendState, CopyFacts } from '../../src/protocol/link/messages.ts';

/** What a router would know of a backend, kept from its events. */
export class RecordedBackend implements BackendEvents {
  readonly copies = new Map<number, CopyFacts>();
  readonly lost: string[] = [];
  /** In order: true with the reason, then false, and so on. */
  readonly stalls: { readonly stalled: boolean; readonly reason: string | undefined }[] = [];
  state: BackendState | undefined;
  offers: readonly string[] = [];

  get isStalled(): boolean {
    return this.stalls.at(-1)?.stalled === true;
  }

  ofModel(model: string): CopyFacts | undefined {
    return [...this.copies.values()].find((copy) => copy.model === model);
  }

  isReady(model: string): boolean {
    return this.ofModel(model)?.phase === 'ready';
  }

  onState(state: BackendState, changed: readonly CopyFacts[], gone: readonly number[]): void {
    this.state = state;
    for (const id of gone) this.copies.delete(id);
    for (const copy of changed) this.copies.set(copy.id, copy);
  }

  onStalled(stalled: boolean, reason?: string): void {
    this.stalls.push({ stalled, reason });
  }

  onOffers(models: readonly string[]): void {
    this.offers = models;
  }

  onLost(reason: string): void {
    this.lost.push(reason);
  }
}
