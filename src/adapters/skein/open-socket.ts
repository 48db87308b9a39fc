import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { parseLinkAddress } from '../../protocol/link/link-address.ts';
import { certificateNames, type LinkTls } from '../../protocol/link/link-tls.ts';

/** A host that does not answer at all is given up on after this. */
const connectTimeoutMs = 3_000;

/** The system's own probes, for a connection whose host went away without a word. */
const keepAliveMs = 5_000;

/** Opens the link's socket. Over TLS the backend's certificate has to be made out to its name, wherever it is reached. */
export function openSocket(address: string, backendId: string, tls: LinkTls | undefined): Socket {
  const place = parseLinkAddress(address);
  if (place.kind === 'unix') return connect({ path: place.path });
  const { host, port } = place;
  const socket =
    tls === undefined
      ? connect({ host, port })
      : connectTls({
          host,
          port,
          ...tls,
          checkServerIdentity: (_host, certificate) =>
            certificateNames(certificate, backendId)
              ? undefined
              : new Error(`the certificate at ${address} is not made out to '${backendId}'`),
        });
  socket.setKeepAlive(true, keepAliveMs);
  const timer = setTimeout(() => {
    socket.destroy(new Error(`no connection to ${address} within ${connectTimeoutMs} ms`));
  }, connectTimeoutMs).unref();
  const isThere = tls === undefined ? 'connect' : 'secureConnect';
  socket.once(isThere, () => clearTimeout(timer)).once('close', () => clearTimeout(timer));
  return socket;
}
