import { readFile } from 'node:fs/promises';
import type { Environment } from '../../../config/setting.ts';
import type { AwsCredentials } from '../signature-v4.ts';
import { askMetadata } from './metadata-request.ts';
import { readTemporaryCredentials } from './temporary-credentials.ts';

const ecsOrigin = 'http://169.254.170.2';

/** Over plain HTTP to these alone, as Amazon's own clients have it: ECS, EKS, loopback. */
const plainHosts = ['169.254.170.2', '169.254.170.23', '[fd00:ec2::23]', 'localhost', '127.0.0.1', '[::1]'];

/** Of a container of ECS, or of a pod of EKS with Pod Identity. */
export async function containerCredentials(env: Environment): Promise<AwsCredentials | undefined> {
  const relative = env['AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'];
  const full = env['AWS_CONTAINER_CREDENTIALS_FULL_URI'];
  const text = relative ? `${ecsOrigin}${relative}` : full;
  if (!text || !URL.canParse(text)) return undefined;
  const url = new URL(text);
  if (url.protocol !== 'http:' || !plainHosts.includes(url.hostname)) return undefined;
  const authorization = await tokenOf(env);
  return readTemporaryCredentials(await askMetadata(url, 'GET', authorization === '' ? {} : { authorization }));
}

/** The file wins, since it is renewed. */
async function tokenOf(env: Environment): Promise<string> {
  const file = env['AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'];
  if (file) return (await readFile(file, 'utf8')).trim();
  return env['AWS_CONTAINER_AUTHORIZATION_TOKEN'] ?? '';
}
