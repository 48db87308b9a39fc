import type { Adapter, BackendRecord } from '../../adapters/adapter.ts';
import type { BackendView } from './backend-view.ts';
import type { FleetView } from './fleet-view.ts';
import type { ProcessKeeper } from './process-keeper.ts';

const firstDelayMs = 25;
const maxDelayMs = 2_000;

/** A session that lasted so long counts as one that worked: the next try begins anew with the shortest delay. */
const wellAfterMs = 1_000;

type Log = (message: string, facts: Record<string, unknown>) => void;

/** Keeps a session to every backend: connects, and connects again after a loss, ever less often while it fails. */
export class BackendConnector {
  readonly #fleet: FleetView;
  readonly #adapters: ReadonlyMap<string, Adapter>;
  readonly #log: Log;
  readonly #stop = new AbortController();
  readonly #removed = new Map<string, AbortController>();
  /** By backend: ends its wait for the next try. */
  readonly #hurry = new Map<string, () => void>();

  constructor(fleet: FleetView, adapters: readonly Adapter[], log: Log) {
    this.#fleet = fleet;
    this.#adapters = new Map(adapters.map((adapter) => [adapter.kind, adapter]));
    this.#log = log;
  }

  add(record: BackendRecord): BackendView {
    const adapter = this.#adapters.get(record.kind);
    if (adapter === undefined) throw new Error(`no adapter for backends of kind '${record.kind}'`);
    const view = this.#fleet.add(record);
    const removed = new AbortController();
    this.#removed.set(record.id, removed);
    void this.#keep(adapter, view, AbortSignal.any([this.#stop.signal, removed.signal]));
    return view;
  }

  remove(id: string): void {
    this.#fleet.backends.get(id)?.session?.close('the backend was removed');
    this.#removed.get(id)?.abort();
    this.#removed.delete(id);
    this.#fleet.remove(id);
  }

  /** Has a backend that runs on demand started, and tries it at once, and often. */
  wake(id: string, processes: ProcessKeeper): void {
    processes.wake(id);
    this.#hurry.get(id)?.();
  }

  stop(): void {
    this.#stop.abort();
  }

  async #keep(adapter: Adapter, view: BackendView, signal: AbortSignal): Promise<void> {
    const { id } = view.record;
    let delayMs = firstDelayMs;
    let isExpected = false;
    while (!signal.aborted) {
      const lost = Promise.withResolvers<string>();
      let isLost = false;
      try {
        const session = await adapter.connect(
          view.record,
          {
            onState: (state, changed, gone) => this.#fleet.onState(view, state, changed, gone),
            onOffers: (models) => this.#fleet.onOffers(view, models),
            onStalled: (stalled, reason = 'silent for a second') => {
              this.#log(stalled ? 'backend stalled' : 'backend answers again', {
                backend: id,
                ...(stalled ? { reason } : {}),
              });
              this.#fleet.onStalled(view, stalled, reason);
            },
            onLost: (reason) => {
              isLost = true;
              this.#fleet.onLost(view, reason);
              lost.resolve(reason);
            },
          },
          signal,
        );
        // It may have been lost in the same turn of the event loop in which it was there.
        if (!isLost) this.#fleet.onConnected(view, session);
        this.#log('backend connected', { backend: id });
        const sinceMs = performance.now();
        this.#log('backend lost', { backend: id, reason: await lost.promise });
        if (performance.now() - sinceMs >= wellAfterMs) delayMs = firstDelayMs;
      } catch (fault) {
        const { message } = fault as Error;
        if (view.reason !== message && !signal.aborted && view.record.address.startsWith('tcp:'))
          this.#log('backend cannot be reached', { backend: id, reason: message });
        view.reason = message;
      }
      if (signal.aborted) return;
      // Half fixed, half drawn: routers that lost a backend together do not all come back in the same instant.
      const sooner = new AbortController();
      this.#hurry.set(id, () => {
        isExpected = true;
        sooner.abort();
      });
      await sleep(delayMs / 2 + (Math.random() * delayMs) / 2, AbortSignal.any([signal, sooner.signal]));
      delayMs = isExpected ? firstDelayMs : Math.min(maxDelayMs, delayMs * 1.6);
      isExpected = false;
    }
  }
}

function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
    signal.addEventListener('abort', done);
  });
}
