import { SkeinError } from '../protocol/errors.ts';
import { formatByteSize, writeByteSize } from './byte-size.ts';
import { compileSettings } from './compile-settings.ts';
import type { MachineLimits } from './machine-limits.ts';
import { parseSetting } from './parse-setting.ts';
import {
  type FlagValues,
  misspeltVariables,
  type RawSettings,
  rawFromEnvironment,
  rawFromFlags,
} from './raw-setting.ts';
import type { Environment, Verb } from './setting.ts';
import type { Settings, SettingsOf } from './settings.ts';
import { readSettingsFile, type SettingsFile } from './settings-file.ts';
import { settingsTable } from './settings-table.ts';

export interface SettingSources {
  readonly flags: FlagValues;
  readonly env: Environment;
  /** Relative paths of flags and variables start here; those of the settings file start at the file. */
  readonly cwd: string;
  readonly machine: MachineLimits;
}

/** What `verb` runs with. A flag counts before the environment, the environment before the default. */
export function loadSettings<V extends Verb>(verb: V, { flags, env, cwd, machine }: SettingSources): SettingsOf<V> {
  const raw = new Map([...rawFromEnvironment(verb, env, cwd), ...rawFromFlags(verb, flags, cwd)]);
  return compileSettings(verb, raw, { machine, env }, cwd);
}

interface LoadedSettings {
  readonly settings: Settings;
  /** For a person to read: what is legal and probably not meant. */
  readonly warnings: readonly string[];
}

/** What `skein serve` runs with. As above, with the settings file between the environment and the default. */
export function loadServeSettings({ flags, env, cwd, machine }: SettingSources): LoadedSettings {
  const named = new Map([...rawFromEnvironment('serve', env, cwd), ...rawFromFlags('serve', flags, cwd)]);
  const file = fileOf(named);
  const compiled = compileSettings('serve', new Map([...file.raw, ...named]), { machine, env }, cwd);
  const settings = Object.freeze({ ...compiled, externalBackends: file.externalBackends });
  checkTogether(settings);
  return { settings, warnings: [...misspeltVariables(env), ...memoryWarnings(settings, machine)] };
}

function fileOf(named: RawSettings): SettingsFile {
  const path = named.get('settingsFile');
  if (path === undefined) return { raw: new Map(), externalBackends: Object.freeze([]) };
  return readSettingsFile(String(parseSetting(settingsTable.settingsFile, path)));
}

/** What each setting allows alone and they do not allow together. */
function checkTogether(settings: Settings): void {
  const { httpPort, grpcPort, metricsPort, maxBodyBytes, bodyMemoryBytes } = settings;
  const ports = [httpPort, grpcPort, metricsPort].filter((port) => port !== 0);
  if (new Set(ports).size < ports.length) {
    throw conflict(`http ${httpPort}, grpc ${grpcPort} and metrics ${metricsPort} need a port each`);
  }
  if (bodyMemoryBytes < maxBodyBytes) {
    throw conflict(
      `max-body is ${writeByteSize(maxBodyBytes)} and body-memory ${writeByteSize(bodyMemoryBytes)}: no backend could take such a body; raise body-memory or lower max-body`,
    );
  }
  const isEmpty = settings.models.length === 0 && settings.modelConfigFile === '';
  if (isEmpty && settings.externalBackends.length === 0) {
    throw conflict('nothing to serve: name a model repository or a model file with --models');
  }
}

function memoryWarnings({ memoryBytes }: Settings, machine: MachineLimits): string[] {
  if (memoryBytes <= machine.memoryBytes) return [];
  const [asked, there] = [formatByteSize(memoryBytes), formatByteSize(machine.memoryBytes)];
  return [
    `memory is ${asked}, but this process may use ${there} at most: the system may end it before the budget is full`,
  ];
}

function conflict(reason: string): SkeinError {
  return new SkeinError('settings_conflict', { reason });
}
