import type { CopySpec } from '../../protocol/link/messages.ts';
import type { CodecModel } from './body-codec.ts';
import type { ServingParts } from './serving-parts.ts';

/** What codecs know of a loaded model, made once. */
export function codecModelOf(
  { model, version }: Pick<CopySpec, 'model' | 'version'>,
  { signature, signatures, labels }: Pick<ServingParts, 'signature' | 'signatures' | 'labels'>,
): CodecModel {
  const named = new Map([...signatures].map(([name, { schema }]) => [name, schema]));
  const requestSchema = { model, ...signature.schema, signatures: named };
  return { model, version, signature, signatures, requestSchema, labels };
}
