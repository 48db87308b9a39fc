/**
 * The last short strings that were read, so that the names of members and tensors, which are the same in every request,
 * are compared instead of made anew: a quarter of the time of reading a small request.
 *
 * Slots are found by a hash and simply overwritten: what a client sends can make this useless, but neither wrong nor large.
 */
const slots = 512;
const longest = 32;
const recent = Array<string>(slots).fill('');

/** The string of the ASCII bytes from `start` to `end`. */
export function shortString(bytes: Buffer, start: number, end: number): string {
  const length = end - start;
  if (length > longest) return bytes.toString('latin1', start, end);
  let hash = length;
  for (let at = start; at < end; at++) hash = (Math.imul(hash, 31) + bytes[at]!) | 0;
  const slot = (hash ^ (hash >>> 9)) & (slots - 1);
  const known = recent[slot]!;
  if (known.length === length && isSame(known, bytes, start)) return known;
  const text = bytes.toString('latin1', start, end);
  recent[slot] = text;
  return text;
}

function isSame(text: string, bytes: Buffer, start: number): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) !== bytes[start + i]) return false;
  return true;
}
