/**
 * Why the path of a source's URL cannot be used; undefined where it can. A URL's parser takes `..` away but not `..%2f`,
 * which whoever decodes the path next would follow: into another bucket, say.
 */
export function sourcePathFault(pathname: string): string | undefined {
  let path: string;
  try {
    path = decodeURIComponent(pathname);
  } catch {
    return 'holds a % that begins no encoded byte of UTF-8';
  }
  return path.split(/[/\\]/).some((part) => part === '.' || part === '..') ? "holds '.' or '..', encoded" : undefined;
}
