import { SkeinError } from '../../protocol/errors.ts';
import { excerpt } from '../../protocol/v2/excerpt.ts';

const largestVersion = 2n ** 63n - 1n;

/** Whether a URL's segment can be a version at all: a path with another one there does not exist. */
export function isVersionText(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return false;
  }
  return text !== '';
}

/** Takes digits. Versions are 64-bit numbers in Triton; no model can have one that is beyond the exact ones here. */
export function readVersion(text: string, model: string): number {
  const version = Number(text);
  if (Number.isSafeInteger(version)) return version;
  // The text may be kilobytes of digits: those are not worth a big number.
  if (text.replace(/^0+/, '').length > 19 || BigInt(text) > largestVersion) {
    throw new SkeinError('version_malformed', { version: excerpt(text) });
  }
  throw new SkeinError('version_unknown', { model, version: String(BigInt(text)) });
}
