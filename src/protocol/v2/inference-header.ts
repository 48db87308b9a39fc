import { SkeinError } from '../errors.ts';
import { excerpt } from './excerpt.ts';

/** How many bytes of JSON stand before the tensors; absent from a body that is JSON alone. */
export const inferenceHeaderName = 'Inference-Header-Content-Length';

/** The value of the header as a number of bytes of a body of `bodyBytes`; undefined when the header is absent. */
export function readInferenceHeader(value: string | undefined, bodyBytes: number): number | undefined {
  if (value === undefined) return undefined;
  const text = value.trim();
  if (!/^[+-]?\d+$/.test(text)) throw new SkeinError('header_length_malformed', { value: excerpt(text) });
  const headerBytes = Number(text);
  if (headerBytes < 0 || headerBytes > bodyBytes) throw headerOutOfRange(text, bodyBytes);
  return headerBytes;
}

export function headerOutOfRange(headerBytes: string, bodyBytes: number): SkeinError {
  return new SkeinError('header_length_range', { headerBytes: excerpt(headerBytes), bodyBytes });
}
