import { sourcePathFault } from './source-path.ts';

/** Where the files of a model are, for backends that share no disk with anybody. */
export interface ModelSource {
  /**
   * A single model file where it ends in `.onnx` or `.ort`, else a list of files as `sha256sum` writes it, whose paths are
   * relative to the list's own folder, the model's directory. `file:`, `http:`, `https:` or `s3://bucket/key`.
   */
  readonly url: string;
  /** SHA-256 of what `url` names, in lower-case hexadecimal: through the list it covers every file. */
  readonly sha256: string;
}

const schemes = ['file:', 'http:', 'https:', 's3:'];
const longestUrl = 2_048;

/** Why `value` cannot be a source; undefined where it can. */
export function sourceFault(value: unknown): string | undefined {
  const { url, sha256 } = (value ?? {}) as Partial<ModelSource>;
  if (typeof url !== 'string' || url.length > longestUrl)
    return `'source.url' must be a URL of at most ${longestUrl} characters`;
  if (typeof sha256 !== 'string' || !/^[0-9a-f]{64}$/.test(sha256)) {
    return "'source.sha256' must be the SHA-256 of what the URL names, 64 digits of lower-case hexadecimal";
  }
  if (!URL.canParse(url)) return `'source.url' is no URL: '${url}'`;
  const parsed = new URL(url);
  if (!schemes.includes(parsed.protocol))
    return `'source.url' must begin with file:, http:, https: or s3:, not ${parsed.protocol}`;
  // They would lie in the catalogue for everybody to read.
  if (parsed.username !== '' || parsed.password !== '') return "'source.url' must hold no user name and no password";
  if (parsed.search !== '' || parsed.hash !== '') return "'source.url' must hold no query and no fragment";
  if (parsed.protocol === 'file:' && parsed.host !== '') return "'source.url' must be file:///path, without a host";
  if (parsed.protocol !== 'file:' && parsed.host === '') return "'source.url' names no host";
  const pathFault = sourcePathFault(parsed.pathname);
  if (pathFault !== undefined) return `the path of 'source.url' ${pathFault}`;
  return parsed.pathname.length > 1 && !parsed.pathname.endsWith('/') ? undefined : "'source.url' must name a file";
}

/** The name that a single model file gets in its version's directory; undefined where the URL names a list. */
export function singleFileName(url: string): string | undefined {
  const ending = /\.(onnx|ort)$/.exec(new URL(url).pathname)?.[1];
  return ending === undefined ? undefined : `model.${ending}`;
}
