import type { Environment } from '../../../config/setting.ts';
import type { AwsCredentials } from '../signature-v4.ts';
import { askMetadata } from './metadata-request.ts';
import { readTemporaryCredentials } from './temporary-credentials.ts';

const usualOrigin = 'http://169.254.169.254';
const rolePath = '/latest/meta-data/iam/security-credentials/';

/** Of an EC2 instance, by the metadata service's second version: a token first, then the role, then its credentials. */
export async function instanceCredentials(env: Environment): Promise<AwsCredentials | undefined> {
  if (env['AWS_EC2_METADATA_DISABLED'] === 'true') return undefined;
  const origin = env['AWS_EC2_METADATA_SERVICE_ENDPOINT'] || usualOrigin;
  const lifetime = { 'x-aws-ec2-metadata-token-ttl-seconds': '300' };
  const token = await askMetadata(new URL('/latest/api/token', origin), 'PUT', lifetime);
  if (token === undefined) return undefined;
  const headers = { 'x-aws-ec2-metadata-token': token };
  const role = (await askMetadata(new URL(rolePath, origin), 'GET', headers))?.split('\n')[0]?.trim();
  if (!role) return undefined;
  return readTemporaryCredentials(
    await askMetadata(new URL(rolePath + encodeURIComponent(role), origin), 'GET', headers),
  );
}
