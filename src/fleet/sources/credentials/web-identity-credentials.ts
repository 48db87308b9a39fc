import { readFile } from 'node:fs/promises';
import type { Environment } from '../../../config/setting.ts';
import { SkeinError } from '../../../protocol/errors.ts';
import type { AwsCredentials } from '../signature-v4.ts';

const timeoutMs = 5_000;

/** Of a pod's role: the token that its service account was given is exchanged for credentials (EKS's IRSA). */
export async function webIdentityCredentials(env: Environment): Promise<AwsCredentials | undefined> {
  const [file, role] = [env['AWS_WEB_IDENTITY_TOKEN_FILE'], env['AWS_ROLE_ARN']];
  if (!file || !role) return undefined;
  const endpoint = endpointOf(env);
  const body = new URLSearchParams({
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: role,
    RoleSessionName: env['AWS_ROLE_SESSION_NAME'] || 'skein',
    // Read each time: it is renewed.
    WebIdentityToken: (await readFile(file, 'utf8')).trim(),
  });
  const signal = AbortSignal.timeout(timeoutMs);
  const answer = await fetch(endpoint, { method: 'POST', body, signal, redirect: 'error' }).catch((fault: Error) => {
    const reason = `credentials of role ${role}: ${(fault.cause as Error | undefined)?.message ?? fault.message}`;
    throw new SkeinError('source_unreachable', { url: endpoint, reason }, { cause: fault });
  });
  return credentialsOf(await answer.text(), `credentials of role ${role}: ${answer.status}`, endpoint);
}

function endpointOf(env: Environment): string {
  const region = env['AWS_REGION'] || env['AWS_DEFAULT_REGION'];
  return env['AWS_ENDPOINT_URL_STS'] || (region ? `https://sts.${region}.amazonaws.com` : 'https://sts.amazonaws.com');
}

/** Of `<AssumeRoleWithWebIdentityResult>`, or `<Error>`. */
function credentialsOf(xml: string, what: string, endpoint: string): AwsCredentials {
  const text = (name: string) => new RegExp(`<${name}>\\s*([^<]+?)\\s*</${name}>`).exec(xml)?.[1];
  const [accessKeyId, secretAccessKey, sessionToken] = ['AccessKeyId', 'SecretAccessKey', 'SessionToken'].map(text);
  if (accessKeyId === undefined || secretAccessKey === undefined || sessionToken === undefined) {
    const reason = [what, text('Code'), text('Message')].filter((part) => part !== undefined).join(' ');
    throw new SkeinError('source_refused', { url: endpoint, reason });
  }
  const expiresAtMs = Date.parse(text('Expiration') ?? '');
  return { accessKeyId, secretAccessKey, sessionToken, ...(Number.isFinite(expiresAtMs) && { expiresAtMs }) };
}
