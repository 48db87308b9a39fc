import { SkeinError } from '../../protocol/errors.ts';

/** Where an etcd cluster is, and under which key a fleet lives in it. */
interface EtcdAddress {
  /** Base URLs, tried in this order. */
  readonly endpoints: readonly string[];
  readonly isTls: boolean;
  readonly user: string;
  readonly password: string;
  /** Every key of the fleet begins with it; ends with a slash. */
  readonly prefix: string;
}

const form = 'etcd://[USER[:PASSWORD]@]HOST:PORT[,HOST:PORT…][/FLEET], or etcds:// for TLS';

/** Reads `etcd://10.0.0.1:2379,10.0.0.2:2379/blue`; without a path the fleet's name is `skein`. */
export function parseEtcdAddress(text: string): EtcdAddress {
  const found = /^etcd(s?):\/\/(?:([^:@/]+)(?::([^@/]*))?@)?([^/@]+)(?:\/([\w.-]*))?$/.exec(text);
  if (found === null) throw unusable(text, `expected ${form}`);
  const [, tls, user = '', password = '', hosts = '', name = ''] = found;
  const endpoints = hosts.split(',').map((host) => endpointOf(text, host.trim(), tls === 's'));
  return {
    endpoints,
    isTls: tls === 's',
    user: decoded(text, user),
    password: decoded(text, password),
    prefix: `/${name === '' ? 'skein' : name}/`,
  };
}

function decoded(text: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw unusable(text, 'expected user and password with %25 for a percent sign, as in any URL');
  }
}

function endpointOf(text: string, host: string, isTls: boolean): string {
  const named = /^(\[[0-9a-fA-F:]+\]|[\w.-]+):(\d{1,5})$/.exec(host);
  if (named === null || Number(named[2]) > 65_535) throw unusable(text, `'${host}' is not HOST:PORT; expected ${form}`);
  return `${isTls ? 'https' : 'http'}://${host}`;
}

function unusable(text: string, reason: string): SkeinError {
  // Whoever reads the log must not learn the password from it.
  const shown = text.replace(/:[^:@/]*@/, ':…@');
  return new SkeinError('setting_invalid', { origin: 'registry', value: `'${shown}'`, expected: reason });
}
