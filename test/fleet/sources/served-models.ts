/** Models on a real HTTP server, and what fetches them. */
import type { TestContext } from 'node:test';
import { noPeers, type PeerFiles } from '../../../src/fleet/sources/file-reader.ts';
import type { FileLease, ModelFetcher } from '../../../src/fleet/sources/model-fetcher.ts';
import type { ModelSource } from '../../../src/fleet/sources/model-source.ts';
import { openSources, type SourceOptions } from '../../../src/fleet/sources/open-sources.ts';
import { temporaryDirectory } from '../../fixtures/model-folder.ts';
import { type FileServer, sha256, startFileServer } from './file-server.ts';

export interface ServedModels {
  readonly server: FileServer;
  readonly cacheDir: string;
  /** Puts a model there as a list of files and the files; returns the catalogue's word of it. */
  add(name: string, files: Readonly<Record<string, Uint8Array>>): ModelSource;
  /** A fetcher over the same cache: another start of the process. */
  open(options?: Partial<SourceOptions>, peers?: PeerFiles): Promise<ModelFetcher>;
}

export async function serveModels(t: TestContext): Promise<ServedModels> {
  const server = await startFileServer(t);
  const cacheDir = temporaryDirectory(t);
  return {
    server,
    cacheDir,
    add(name, files) {
      const list = Object.entries(files).map(([path, bytes]) => `${sha256(bytes)}  ${path}\n`);
      for (const [path, bytes] of Object.entries(files)) server.files.set(`/${name}/${path}`, bytes);
      server.files.set(`/${name}/SHA256SUMS`, Buffer.from(list.join('')));
      return { url: `${server.origin}/${name}/SHA256SUMS`, sha256: sha256(list.join('')) };
    },
    async open(options = {}, peers = noPeers) {
      const usual: SourceOptions = {
        allow: server.origin,
        addresses: 'any',
        cacheDir,
        cacheBytes: 10 * 2 ** 20,
        concurrency: 4,
        silenceMs: 10_000,
        s3: { endpoint: '', region: 'us-east-1', pathStyle: true },
      };
      const fetcher = await openSources({ ...usual, ...options }, {}, peers);
      t.after(() => fetcher?.close());
      return fetcher!;
    },
  };
}

export function acquire(fetcher: ModelFetcher, source: ModelSource, version = 1): Promise<FileLease> {
  return fetcher.acquire(source, version, () => {}, [{ id: 'peer', address: 'tcp://peer:1' }]);
}
