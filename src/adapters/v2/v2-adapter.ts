import type { Adapter, BackendEvents, BackendRecord, BackendSession } from '../adapter.ts';
import { defaultOptions, type V2Options } from './v2-options.ts';

/**
 * The router's driver for servers of the Open Inference Protocol over HTTP that somebody else runs: Triton, KServe,
 * MLServer, OpenVINO and their like. Bodies pass in both directions as they are.
 */
export class V2Adapter implements Adapter {
  readonly kind = 'v2';
  readonly #options: V2Options;

  constructor(options: Partial<V2Options> = {}) {
    this.#options = { ...defaultOptions, ...options };
  }

  async connect(target: BackendRecord, events: BackendEvents, signal: AbortSignal): Promise<BackendSession> {
    // Most routers have no such server: undici, which all else here stands on, is 9 MB.
    const { V2Session } = await import('./v2-session.ts');
    let onAbort = () => {};
    const session = new V2Session(
      target,
      {
        onState: (state, changed, gone) => events.onState(state, changed, gone),
        onOffers: (models) => events.onOffers?.(models),
        onStalled: (stalled, reason) => events.onStalled(stalled, reason),
        onLost: (reason) => {
          signal.removeEventListener('abort', onAbort);
          events.onLost(reason);
        },
      },
      this.#options,
    );
    onAbort = () => session.close('the router stops');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) onAbort();
    try {
      await session.open();
      return session;
    } catch (fault) {
      signal.removeEventListener('abort', onAbort);
      session.close('never opened');
      throw fault;
    }
  }
}
