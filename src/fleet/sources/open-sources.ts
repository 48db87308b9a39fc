import type { Environment } from '../../config/setting.ts';
import { SkeinError } from '../../protocol/errors.ts';
import type { AddressLimit } from './address-range.ts';
import { parseAllowList } from './allow-list.ts';
import { CredentialsChain } from './credentials/credentials-chain.ts';
import { DirectorySource } from './directory-source.ts';
import { DiskCache } from './disk-cache.ts';
import { FileFetcher } from './file-fetcher.ts';
import type { PeerFiles } from './file-reader.ts';
import { HttpSource } from './http-source.ts';
import { ModelFetcher } from './model-fetcher.ts';
import { S3Source } from './s3-source.ts';
import { zeroCounts } from './source-figures.ts';
import { SourceGate } from './source-gate.ts';

export interface SourceOptions {
  /** Setting source-allow: empty fetches nothing. */
  readonly allow: string;
  readonly addresses: AddressLimit;
  readonly cacheDir: string;
  readonly cacheBytes: number;
  readonly concurrency: number;
  readonly silenceMs: number;
  readonly s3: { readonly endpoint: string; readonly region: string; readonly pathStyle: boolean };
}

/** Throws `setting_invalid` for what cannot be meant. Cheap: nothing is opened. */
export function checkSourceOptions({ allow, s3 }: SourceOptions): void {
  const list = parseAllowList(allow);
  if ('fault' in list) {
    throw new SkeinError('setting_invalid', {
      origin: '--source-allow',
      value: `'${allow}'`,
      expected: `https://host, s3://bucket or file:///folder, parted by commas: ${list.fault}`,
    });
  }
  if (s3.endpoint === '' || (URL.canParse(s3.endpoint) && /^https?:$/.test(new URL(s3.endpoint).protocol))) return;
  throw new SkeinError('setting_invalid', {
    origin: '--s3-endpoint',
    value: `'${s3.endpoint}'`,
    expected: 'an http:// or https:// URL',
  });
}

/** Everything that brings models here; undefined where nothing may be fetched. `env` holds S3's credentials. */
export async function openSources(
  options: SourceOptions,
  env: Environment,
  peers: PeerFiles,
): Promise<ModelFetcher | undefined> {
  checkSourceOptions(options);
  const list = parseAllowList(options.allow);
  if ('fault' in list || list.length === 0) return undefined;
  const { addresses, cacheDir, cacheBytes, concurrency, silenceMs, s3 } = options;
  const gate = new SourceGate(list, addresses);
  const chain = new CredentialsChain(env);
  const counts = zeroCounts();
  const cache = await DiskCache.open(cacheDir, cacheBytes, () => counts.evicted++);
  const http = new HttpSource(gate, silenceMs);
  const readers = {
    'file:': new DirectorySource(gate),
    'http:': http,
    'https:': http,
    's3:': new S3Source(gate, { ...s3, silenceMs, credentials: () => chain.find() }),
  };
  const files = new FileFetcher({ cache, readers, peers, concurrency, counts });
  return new ModelFetcher({ cache, files, gate, counts });
}
