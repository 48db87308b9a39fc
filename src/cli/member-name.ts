import { hostname } from 'node:os';

/** A member that was not heard of for so long is forgotten by the registry; links count before that. */
export const memberTtlMs = 6_000;

/** How others reach what listens on this address. */
export function reachableHost(host: string): string {
  return host === '0.0.0.0' || host === '::' ? hostname() : host;
}

export function urlHost(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

/** Ids stand in keys, in metrics and on command lines. */
export const memberIdForm = /^[\w.-]{1,128}$/;

/** `gpu=a100,disk=ssd`; undefined where it is not of that form. */
export function parseLabels(text: string): Record<string, string> | undefined {
  const labels: Record<string, string> = {};
  for (const pair of listOf(text)) {
    const [name = '', value, rest] = pair.split('=');
    if (name === '' || value === undefined || rest !== undefined) return undefined;
    labels[name] = value;
  }
  return labels;
}

/** Parts of a text that commas part. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}
