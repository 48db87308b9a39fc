import { SkeinError } from '../../protocol/errors.ts';

/** Where an Open Inference server is: its origin, and the path that all its V2 paths begin with. */
export class ServerAddress {
  readonly origin: string;
  /** `/v2`, behind the path of the declared URL where a proxy wants one. */
  readonly root: string;

  constructor(backend: string, url: string) {
    const parsed = URL.canParse(url) ? new URL(url) : undefined;
    if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '') {
      const expected = 'http://host:port or https://host:port, with a path where its V2 API has one before /v2';
      throw new SkeinError('backend_address', { backend, address: url, expected });
    }
    this.origin = parsed.origin;
    this.root = `${parsed.pathname.replace(/\/+$/, '').replace(/\/v2$/, '')}/v2`;
  }

  /** Of a model, or of one version of it where the server is to be asked for that one. */
  model(name: string, version?: string): string {
    const model = `${this.root}/models/${encodeURIComponent(name)}`;
    return version === undefined ? model : `${model}/versions/${encodeURIComponent(version)}`;
  }

  repositoryModel(name: string, verb: 'load' | 'unload'): string {
    return `${this.root}/repository/models/${encodeURIComponent(name)}/${verb}`;
  }
}
