import type { IncomingMessage } from 'node:http';
import { SkeinError } from '../../protocol/errors.ts';
import { isLoopback } from './loopback.ts';
import type { ServerOptions } from './server-options.ts';

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
