import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { SkeinError } from '../../protocol/errors.ts';

/** One endpoint of a router process. */
export interface RouterServer {
  /** The one that was asked for, or that the system gave for 0; 0 before listen. */
  readonly port: number;
  listen(at: ListenAt): Promise<void>;
  /** Takes no new connections, lets what is open come to its end for as long as `graceMs`, then cuts what is left. */
  close(graceMs: number): Promise<void>;
}

export interface ListenAt {
  readonly port: number;
  readonly host: string;
  /** Shares the port with other processes that say the same; the kernel spreads connections among them. */
  readonly reusePort?: boolean;
}

/** Connections that the kernel keeps until they are taken. */
const backlog = 1024;

/** Rejects where the port is taken, or the host none of this machine. */
export async function listenAt(server: Server, { port, host, reusePort = false }: ListenAt): Promise<void> {
  server.listen({ port, host, reusePort, backlog });
  try {
    await once(server, 'listening');
  } catch (fault) {
    const reason = `nothing can listen on port ${port} of ${host}: ${(fault as Error).message}`;
    throw new SkeinError('settings_conflict', { reason }, { cause: fault });
  }
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo | null)?.port ?? 0;
}
