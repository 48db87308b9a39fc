import { sourcePathFault } from './source-path.ts';

/** One place that model entries may name. */
interface AllowedPlace {
  readonly protocol: string;
  /** Lower case; of `s3:` the bucket, of `file:` ''. '' in front of the dot stands for any name: `.example.com`. */
  readonly host: string;
  /** '' for the scheme's own. */
  readonly port: string;
  /** Folders, without a slash at the end: '' for all. */
  readonly path: string;
}

export type AllowList = readonly AllowedPlace[];

const protocols = ['file:', 'http:', 'https:', 's3:'];

/**
 * Reads `https://models.example.com, https://*.example.org/public, s3://bucket, file:///mnt/models`. Returns what is wrong
 * with the first place that cannot be read.
 */
export function parseAllowList(text: string): AllowList | { readonly fault: string } {
  const places: AllowedPlace[] = [];
  for (const item of text.split(',').map((one) => one.trim())) {
    if (item === '') continue;
    // A URL parser refuses or encodes the star, depending on the scheme.
    const written = item.replace('://*.', '://any-name.').replace(/:\/\/\*(?=$|\/|:)/, '://any-name');
    if (!URL.canParse(written)) return { fault: `'${item}' is no URL` };
    const url = new URL(written);
    if (!protocols.includes(url.protocol))
      return { fault: `'${item}' does not begin with file:, http:, https: or s3:` };
    if (url.search !== '' || url.hash !== '' || url.username !== '')
      return { fault: `'${item}' is more than a scheme, host, port and path` };
    const host = written === item ? url.host : url.host.replace(/^any-name/, '*');
    if (url.protocol === 'file:' ? url.pathname === '/' : url.hostname === '')
      return { fault: `'${item}' names no ${url.protocol === 'file:' ? 'folder' : 'host'}` };
    places.push({
      protocol: url.protocol,
      host: host.replace(/:\d+$/, '').toLowerCase(),
      port: url.port,
      path: url.pathname.replace(/\/+$/, ''),
    });
  }
  return places;
}

/** Whether a place of the list holds `url`. Names below `*.example.com` count, `example.com` itself does not. */
export function isAllowed(list: AllowList, url: URL): boolean {
  // The name of a bucket may become a part of a path: one that is encoded could hold a slash.
  if (sourcePathFault(url.pathname) !== undefined || url.hostname.includes('%')) return false;
  return list.some(
    (place) =>
      place.protocol === url.protocol &&
      place.port === url.port &&
      isHostOf(place.host, url.hostname.toLowerCase()) &&
      isBelow(place.path, url.pathname),
  );
}

function isHostOf(pattern: string, host: string): boolean {
  if (pattern === '*') return true;
  return pattern.startsWith('*.')
    ? host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1
    : pattern === host;
}

/** URLs are normalised by their parser: no `..` is left in them. An encoded slash could become one at the server. */
function isBelow(folder: string, path: string): boolean {
  if (folder === '') return true;
  return path.startsWith(`${folder}/`) && !/%2f|%5c|%2e/i.test(path);
}
