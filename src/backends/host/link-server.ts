import { rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { BackendLink } from './backend-link.ts';
import type { Host } from './host.ts';

/** Connections at once: routers, their workers, and a few that are just being replaced. */
const maxConnections = 256;

/** Listens for routers. */
export class LinkServer {
  readonly #host: Host;
  readonly #server: Server;
  readonly #links = new Set<BackendLink>();
  readonly #log: (message: string, facts: Record<string, unknown>) => void;

  constructor(host: Host, log: (message: string, facts: Record<string, unknown>) => void) {
    this.#host = host;
    this.#log = log;
    this.#server = createServer((socket) => this.#accept(socket));
    this.#server.maxConnections = maxConnections;
  }

  /** Listens on `unix:/path`; a socket file that a dead process left is replaced. */
  async listen(address: string): Promise<void> {
    const path = address.slice('unix:'.length);
    await rm(path, { force: true });
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ path, backlog: 64 }, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
    // Out of file descriptors, most likely: routers come again, and the links that are there go on.
    this.#server.on('error', (fault) => this.#log('a router could not be let in', { reason: fault.message }));
  }

  /** Stops listening, and ends every link once the requests in it are answered. */
  async close(): Promise<void> {
    this.#server.close();
    await Promise.all([...this.#links].map((link) => link.finish()));
  }

  #accept(socket: Socket): void {
    const link: BackendLink = new BackendLink(socket, this.#host, (peer, reason) => {
      this.#links.delete(link);
      this.#log('link ended', { peer, reason });
    });
    this.#links.add(link);
  }
}
