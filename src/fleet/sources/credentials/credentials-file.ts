import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../../../config/setting.ts';
import type { AwsCredentials } from '../signature-v4.ts';

/** The shared credentials file, ~/.aws/credentials unless AWS_SHARED_CREDENTIALS_FILE says where it is. */
export async function fileCredentials(env: Environment): Promise<AwsCredentials | undefined> {
  const path = env['AWS_SHARED_CREDENTIALS_FILE'] || join(env['HOME'] ?? '/', '.aws', 'credentials');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (fault) {
    const { code } = fault as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw fault;
  }
  const profile = profileOf(text, env['AWS_PROFILE'] || 'default');
  const accessKeyId = profile.get('aws_access_key_id');
  const secretAccessKey = profile.get('aws_secret_access_key');
  if (!accessKeyId || !secretAccessKey) return undefined;
  const sessionToken = profile.get('aws_session_token');
  return { accessKeyId, secretAccessKey, ...(sessionToken && { sessionToken }) };
}

/** `[default]`, then `aws_access_key_id = …` lines; `#` and `;` begin a comment. */
export function profileOf(text: string, name: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  let section = '';
  for (const line of text.split(/\r?\n/)) {
    const header = /^\s*\[\s*(?:profile\s+)?([^\]]+?)\s*\]/.exec(line)?.[1];
    if (header !== undefined) section = header;
    const [, key, value] = /^\s*([\w-]+)\s*=\s*(\S.*?)?\s*$/.exec(line) ?? [];
    if (key !== undefined && section === name) found.set(key, value ?? '');
  }
  return found;
}
