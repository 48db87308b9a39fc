import type { Logger } from 'pino';
import type { SettingsOf } from '../config/settings.ts';
import { parseEtcdAddress } from '../fleet/etcd/etcd-address.ts';
import { EtcdRegistry } from '../fleet/etcd/etcd-registry.ts';
import type { Registry } from '../fleet/registry.ts';
import { readSecretFile } from './link-guard.ts';

type RegistrySettings = Pick<SettingsOf<'router'>, 'registry' | 'registryCa' | 'registryCert' | 'registryKey'>;

/** Opens the registry that the settings name. It connects behind the caller; throws only for settings that cannot work. */
export function openRegistry(settings: RegistrySettings, log: Logger): Registry {
  const { endpoints, isTls, user, password, prefix } = parseEtcdAddress(settings.registry);
  const pem = (flag: string, path: string) => (path === '' ? undefined : readSecretFile(flag, path));
  const ca = pem('registry-ca', settings.registryCa);
  const cert = pem('registry-cert', settings.registryCert);
  const key = pem('registry-key', settings.registryKey);
  const tls = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
  return new EtcdRegistry({
    endpoints,
    user,
    password,
    prefix,
    ...(isTls && { tls }),
    log: (message, facts, level) => log[level](facts, message),
  });
}
