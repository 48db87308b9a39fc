import { SkeinError } from '../errors.ts';

/** Where a backend listens for routers: a socket of this host, or a port that other hosts reach. */
export type LinkAddress =
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** Reads `unix:/path` and `tcp://host:port`; a host of IPv6 stands in brackets. */
export function parseLinkAddress(text: string): LinkAddress {
  if (text.startsWith('unix:/')) return { kind: 'unix', path: text.slice('unix:'.length) };
  const found = /^tcp:\/\/(?:\[([0-9a-fA-F:.]+)\]|([\w.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(found?.[3]);
  if (found === null || port > 65_535) {
    const expected = 'unix:/path or tcp://HOST:PORT';
    throw new SkeinError('setting_invalid', { origin: 'a link address', value: `'${text}'`, expected });
  }
  return { kind: 'tcp', host: (found[1] ?? found[2])!, port };
}

export function writeLinkAddress(address: LinkAddress): string {
  if (address.kind === 'unix') return `unix:${address.path}`;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return `tcp://${host}:${address.port}`;
}
