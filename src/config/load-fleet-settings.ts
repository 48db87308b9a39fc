import { SkeinError } from '../protocol/errors.ts';
import { compileSettings } from './compile-settings.ts';
import { loadSettings, type SettingSources } from './load-settings.ts';
import type { Settings, SettingsOf } from './settings.ts';

/** What `skein router` runs with: what a server runs with, and where its fleet is. */
export type RouterSettings = Settings & SettingsOf<'router'>;

/** The same for `skein backend`. */
export type BackendSettings = Settings & SettingsOf<'backend'>;

export function loadRouterSettings(sources: SettingSources): RouterSettings {
  const own = loadSettings('router', sources);
  needRegistry(own.registry);
  return Object.freeze({ ...serveDefaults(sources), ...own });
}

export function loadBackendSettings(sources: SettingSources): BackendSettings {
  const own = loadSettings('backend', sources);
  needRegistry(own.registry);
  if (own.models.length === 0 && own.sourceAllow === '') {
    const reason = 'no models: name a directory with --models, or with --source-allow where they may be fetched from';
    throw new SkeinError('settings_conflict', { reason });
  }
  return Object.freeze({ ...serveDefaults(sources), ...own });
}

/** Settings that a command does not take have their defaults. */
function serveDefaults({ machine, env, cwd }: SettingSources): Settings {
  return { ...compileSettings('serve', new Map(), { machine, env }, cwd), externalBackends: Object.freeze([]) };
}

function needRegistry(registry: string): void {
  if (registry !== '') return;
  const reason = 'no registry: name the etcd cluster of the fleet with --registry etcd://HOST:2379';
  throw new SkeinError('settings_conflict', { reason });
}
