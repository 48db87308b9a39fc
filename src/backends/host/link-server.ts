import { rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket } from 'node:tls';
import { type LinkAddress, parseLinkAddress, writeLinkAddress } from '../../protocol/link/link-address.ts';
import type { LinkSecret } from '../../protocol/link/link-proof.ts';
import { certificateNamesAsker, type LinkTls } from '../../protocol/link/link-tls.ts';
import { BackendLink } from './backend-link.ts';
import type { Host } from './host.ts';

/** Connections at once: routers, their workers, and a few that are just being replaced. */
const maxConnections = 256;

/** Routers ping what is silent five times a second: one that was not heard of for so long is gone. */
const deadMs = 60_000;
const sweepMs = 5_000;

/** What is asked of routers before they are listened to; nothing on a socket that only this host reaches. */
interface LinkGuard {
  readonly secret?: LinkSecret;
  readonly tls?: LinkTls;
}

type Log = (message: string, facts: Record<string, unknown>) => void;

/** Listens for routers. */
export class LinkServer {
  readonly #host: Host;
  readonly #guard: LinkGuard;
  readonly #server: Server;
  readonly #links = new Set<BackendLink>();
  readonly #log: Log;
  #sweeper: NodeJS.Timeout | undefined;

  constructor(host: Host, log: Log, guard: LinkGuard = {}) {
    this.#host = host;
    this.#log = log;
    this.#guard = guard;
    const { tls } = guard;
    this.#server =
      tls === undefined
        ? createServer((socket) => this.#accept(socket))
        : createTlsServer({ ...tls, requestCert: true, rejectUnauthorized: true }, (socket) => this.#acceptTls(socket));
    this.#server.maxConnections = maxConnections;
    this.#server.on('tlsClientError', (fault: Error) => log('a router was not let in', { reason: fault.message }));
  }

  /** How many routers are connected. */
  get connections(): number {
    return this.#links.size;
  }

  /**
   * Listens on `unix:/path`, where a socket file that a dead process left is replaced, or on `tcp://host:port`; port 0
   * picks one. Resolves with the address as it is.
   */
  async listen(address: string): Promise<string> {
    const place = parseLinkAddress(address);
    if (place.kind === 'unix') await rm(place.path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ ...listenOptions(place), backlog: 64 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    // Out of file descriptors, most likely: routers come again, and the links that are there go on.
    this.#server.on('error', (fault) => this.#log('a router could not be let in', { reason: fault.message }));
    if (place.kind === 'unix') return address;
    this.#sweeper = setInterval(() => this.#sweep(performance.now()), sweepMs).unref();
    return writeLinkAddress({ ...place, port: (this.#server.address() as AddressInfo).port });
  }

  /** Stops listening, and ends every link once the requests in it are answered. */
  async close(): Promise<void> {
    clearInterval(this.#sweeper);
    this.#server.close();
    await Promise.all([...this.#links].map((link) => link.finish()));
  }

  #acceptTls(socket: TLSSocket): void {
    this.#accept(socket, (id) => certificateNamesAsker(socket.getPeerCertificate(), id));
  }

  #accept(socket: Socket, isCertified?: (id: string) => boolean): void {
    const { secret } = this.#guard;
    const link: BackendLink = new BackendLink(
      socket,
      this.#host,
      (peer, reason) => {
        this.#links.delete(link);
        if (peer === undefined) this.#log('a link did not open', { reason });
        else this.#log('link ended', { peer, reason });
      },
      { ...(secret && { secret }), ...(isCertified && { isCertified }) },
    );
    this.#links.add(link);
  }

  #sweep(nowMs: number): void {
    for (const link of this.#links) {
      if (nowMs - link.lastHeardMs > deadMs) link.close(`silent for ${deadMs / 1_000} s`);
    }
  }
}

function listenOptions(place: LinkAddress): { path: string } | { host: string; port: number } {
  return place.kind === 'unix' ? { path: place.path } : { host: place.host, port: place.port };
}
