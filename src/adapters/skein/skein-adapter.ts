import type { LinkSelf } from '../../protocol/link/handshake.ts';
import type { LinkTls } from '../../protocol/link/link-tls.ts';
import type { SharedBodies } from '../../protocol/reads/shared-bodies.ts';
import type { Adapter, BackendEvents, BackendRecord, BackendSession } from '../adapter.ts';
import { openSocket } from './open-socket.ts';
import { SkeinSession } from './skein-session.ts';

/** How often a link is listened to; a silent one is pinged. */
const heartbeatMs = 200;

/** Silence after which a backend counts as stalled: its requests are tried elsewhere, new ones avoid it. */
const stallMs = 1_000;

/**
 * Silence after which a link to another host is given up: its connection may be dead on one side alone. A process that
 * was only stopped is connected anew when it goes on; its requests have long been elsewhere.
 */
const deadMs = 15_000;

/** The router's driver for Skein's own backends. */
export class SkeinAdapter implements Adapter {
  readonly kind = 'skein';
  readonly #self: Omit<LinkSelf, 'role'>;
  readonly #tls: LinkTls | undefined;
  readonly #bodies: SharedBodies | undefined;

  /** `tls`: for links to other hosts. `bodies`: memory that backends of this host may read them from. */
  constructor(self: Omit<LinkSelf, 'role'>, tls?: LinkTls, bodies?: SharedBodies) {
    this.#self = self;
    this.#tls = tls;
    this.#bodies = bodies;
  }

  async connect(target: BackendRecord, events: BackendEvents, signal: AbortSignal): Promise<BackendSession> {
    signal.throwIfAborted();
    const sessionEvents: BackendEvents = {
      onState: (state, changed, gone) => events.onState(state, changed, gone),
      onStalled: (stalled, reason) => events.onStalled(stalled, reason),
      onLost: (reason) => {
        clearInterval(heartbeat);
        // The signal outlives this session and all those that follow it.
        signal.removeEventListener('abort', onAbort);
        events.onLost(reason);
      },
    };
    const socket = openSocket(target.address, target.id, this.#tls);
    const bodies = target.address.startsWith('unix:') ? this.#bodies : undefined;
    const session = new SkeinSession(socket, target.id, this.#self, sessionEvents, bodies);
    const onAbort = () => session.close('the router stops');
    signal.addEventListener('abort', onAbort, { once: true });
    const heartbeat = watchHeartbeat(session, events, target.address.startsWith('tcp:'));
    await session.opened;
    return session;
  }
}

function watchHeartbeat(session: SkeinSession, events: BackendEvents, mayDie: boolean): NodeJS.Timeout {
  let stalled = false;
  let lastTickMs = performance.now();
  return setInterval(() => {
    const nowMs = performance.now();
    // Where this process itself was stopped or starved, silence proves nothing about the other side.
    const ownGapMs = nowMs - lastTickMs - heartbeatMs;
    lastTickMs = nowMs;
    const silentMs = nowMs - session.lastHeardMs - Math.max(0, ownGapMs);
    if (silentMs >= heartbeatMs) session.ping();
    if (mayDie && silentMs >= deadMs) session.close(`silent for ${Math.round(silentMs / 1_000)} s`);
    if (silentMs >= stallMs === stalled) return;
    stalled = !stalled;
    events.onStalled(stalled);
  }, heartbeatMs).unref();
}
