import { readFileSync } from 'node:fs';

const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');

/** Version of this installation, from its package.json: two folders up from here, in the sources and in dist. */
export const softwareVersion = (JSON.parse(manifest) as { readonly version: string }).version;
