import type { AwsCredentials } from '../signature-v4.ts';

/** Credentials as the metadata services of containers and instances write them; undefined where they are not. */
export function readTemporaryCredentials(text: string | undefined): AwsCredentials | undefined {
  let read: Record<string, unknown> | null = null;
  try {
    read = JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = read ?? {};
  if (typeof AccessKeyId !== 'string' || typeof SecretAccessKey !== 'string') return undefined;
  const expiresAtMs = Date.parse(String(Expiration));
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    ...(typeof Token === 'string' && { sessionToken: Token }),
    ...(Number.isFinite(expiresAtMs) && { expiresAtMs }),
  };
}
