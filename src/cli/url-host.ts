import { hostname } from 'node:os';

/** How others reach what listens on this address. */
export function reachableHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host;
}

export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
