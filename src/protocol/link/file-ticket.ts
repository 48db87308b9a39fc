import { createHmac } from 'node:crypto';
import type { LinkSecret } from './link-proof.ts';
import { errandName } from './link-tls.ts';
import type { Peer } from './messages.ts';

/**
 * A ticket lets one backend fetch files from another one whose key it does not hold, and do nothing else there. A router
 * that holds the fleet's secret makes it; the backend that gives the files can make it too, from its own key.
 */
export function ticketKey(giverKey: Buffer, asker: string): Buffer {
  return createHmac('sha256', giverKey).update(`files for:${asker}`).digest();
}

/** The same peers, each with the ticket of this backend where the router can make one. */
export function withTickets(peers: readonly Peer[], backendId: string, secret: LinkSecret | undefined): Peer[] {
  return peers.map((peer) => {
    const key = secret?.keyOf(peer.id);
    if (key === undefined) return peer;
    return { ...peer, ticket: ticketKey(key, errandName(backendId, 'fetches')).toString('hex') };
  });
}

/** What a backend shows to this peer: what it holds itself, else the ticket that it was told. */
export function credentialFor(
  { id, ticket }: Peer,
  secret: LinkSecret | undefined,
): { readonly secret?: LinkSecret; readonly hasTicket?: boolean } {
  if (secret === undefined) return {};
  if (secret.keyOf(id) !== undefined || ticket === undefined) return { secret };
  const key = Buffer.from(ticket, 'hex');
  return { secret: { keyOf: (backendId) => (backendId === id ? key : undefined) }, hasTicket: true };
}
