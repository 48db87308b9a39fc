import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { RouterSettings } from '../config/load-fleet-settings.ts';
import { SkeinError } from '../protocol/errors.ts';
import { type LinkSecret, readLinkSecret } from '../protocol/link/link-proof.ts';
import { certificateNames, type LinkTls } from '../protocol/link/link-tls.ts';

interface LinkGuardFiles {
  /** '' for none. */
  readonly tokenFile: string;
  readonly caFile: string;
  readonly certFile: string;
  readonly keyFile: string;
}

type LinkSettings = Pick<RouterSettings, 'linkToken' | 'linkCa' | 'linkCert' | 'linkKey'>;

export function guardFiles({ linkToken, linkCa, linkCert, linkKey }: LinkSettings): LinkGuardFiles {
  return { tokenFile: linkToken, caFile: linkCa, certFile: linkCert, keyFile: linkKey };
}

/** Reads what guards links; throws with the name of the file that cannot be used. */
export function readLinkGuard(files: LinkGuardFiles): { readonly secret?: LinkSecret; readonly tls?: LinkTls } {
  const { tokenFile, caFile, certFile, keyFile } = files;
  const named = [caFile, certFile, keyFile].filter((path) => path !== '').length;
  if (named !== 0 && named !== 3) {
    throw new SkeinError('settings_conflict', {
      reason: '--link-ca, --link-cert and --link-key go together: TLS needs all three',
    });
  }
  const text = tokenFile === '' ? undefined : readSecretFile('--link-token', tokenFile);
  if (text !== undefined && text.trim().length < shortestToken) {
    throw new SkeinError('settings_conflict', {
      reason: `the token in ${tokenFile} has fewer than ${shortestToken} characters: it could be guessed`,
    });
  }
  return {
    ...(text !== undefined && { secret: readLinkSecret(text) }),
    ...(named === 3 && {
      tls: {
        ca: readSecretFile('--link-ca', caFile),
        cert: readSecretFile('--link-cert', certFile),
        key: readSecretFile('--link-key', keyFile),
      },
    }),
  };
}

const shortestToken = 16;

/** Others would refuse this member: it is told at once, and not by silence. */
export function checkCertificate(id: string, tls: LinkTls | undefined, certFile: string): void {
  if (tls === undefined || certificateNames(new X509Certificate(tls.cert).toLegacyObject(), id)) return;
  throw new SkeinError('settings_conflict', { reason: `the certificate in ${certFile} is not made out to '${id}'` });
}

/** `origin`: what named the file. */
export function readSecretFile(origin: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    const expected = `a file that can be read (${(fault as Error).message})`;
    throw new SkeinError('setting_invalid', { origin, value: `'${path}'`, expected }, { cause: fault });
  }
}
