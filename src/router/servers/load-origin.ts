import type { IncomingMessage } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import { isLoopback } from './loopback.ts';
import type { ServerOptions } from './server-options.ts';

/** A load call that carries nothing is far smaller; one that is larger need not be read to be refused. */
const plainCallBytes = 64 * 1024;

/** Before the body is read: refuses one that can only be files, from where none are taken. */
export function admitLoad(request: IncomingMessage, options: ServerOptions): void {
  const length = Number(request.headers['content-length'] ?? 0);
  if (length > plainCallBytes || request.headers['transfer-encoding'] !== undefined)
    refuseRemoteOverride(request, options);
}

/**
 * Files and configurations run code of their sender's choice in effect: they are taken from this machine alone unless
 * the operator allowed more. A browser on this machine is not its user: any page it shows can make it send such a call,
 * but every such call names the page's origin, and only the origin that CORS lets in is believed.
 */
export function refuseRemoteOverride(request: IncomingMessage, options: ServerOptions): void {
  if (options.allowRemoteLoad) return;
  const { remoteAddress } = request.socket;
  const { origin } = request.headers;
  const isPage = origin !== undefined && origin !== options.corsOrigin;
  if (isLoopback(remoteAddress) && !isPage) return;
  throw new SkeinError('load_parameters_remote', { address: isPage ? origin : (remoteAddress ?? 'elsewhere') });
}
