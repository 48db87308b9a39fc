import { readFileSync } from 'node:fs';

/** Version of this installation, from its package.json: two folders up from here, in the sources and in dist. */
export function softwareVersion(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
