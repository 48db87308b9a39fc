/**
 * The escapes of characters that need none in a URL (RFC 3986, unreserved): `-`, `.`, digits, letters, `_` and `~`.
 */
const needlessEscape = /%(?:2[de]|3\d|[46][1-9a-f]|5[\daf]|7[\dae])/i;

/**
 * A model's name as it stands in a URL. Triton takes it as it is written, escapes and all; so does this, but for the
 * escapes that a client cannot do without: names with spaces or letters beyond ASCII can be reached in no other way.
 * A name that would hold a slash stays as it is written, too: no model is called so.
 */
export function readModelName(segment: string): string {
  if (!segment.includes('%') || needlessEscape.test(segment)) return segment;
  try {
    const name = decodeURIComponent(segment);
    return name.includes('/') ? segment : name;
  } catch {
    return segment;
  }
}
