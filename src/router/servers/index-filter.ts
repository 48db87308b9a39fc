import { SkeinError } from '../../protocol/errors.ts';
import { readDocument } from '../../protocol/json/json-document.ts';

/** The body of an index call: whether only what is ready is wanted. An empty body wants everything. */
export function readIndexFilter(body: Uint8Array): boolean {
  if (body.byteLength === 0) return false;
  const document = readDocument(body);
  if (!(document instanceof Map)) throw new SkeinError('body_kind', { wanted: 'a JSON object such as {"ready":true}' });
  const ready = document.get('ready') ?? false;
  if (typeof ready !== 'boolean') throw new SkeinError('value_kind', { phrase: 'non-boolean as boolean' });
  return ready;
}
