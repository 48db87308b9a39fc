import { delimiter } from 'node:path';
import { SkeinError } from '../protocol/errors.ts';
import { closestName } from './closest-name.ts';
import { type Environment, envName, type SettingRow, type Verb } from './setting.ts';
import { type SettingKey, settingsOf, settingsTable } from './settings-table.ts';

/** A value as it was given, and by whom: errors name the place that has to be changed. */
export interface RawSetting {
  readonly value: unknown;
  /** `--memory`, `SKEIN_MEMORY`, `"memory" in skein.json`. */
  readonly origin: string;
  /** Relative paths are relative to this. */
  readonly baseDir: string;
}

export type RawSettings = ReadonlyMap<SettingKey, RawSetting>;

/** Values of the command line by flag, as node:util parseArgs gives them. */
export type FlagValues = Readonly<Record<string, string | boolean | readonly string[] | undefined>>;

export function rawFromFlags(verb: Verb, flags: FlagValues, cwd: string): RawSettings {
  const found = new Map<SettingKey, RawSetting>();
  for (const [key, row] of settingsOf(verb)) {
    const value = flags[row.flag];
    if (value !== undefined) found.set(key, { value, origin: `--${row.flag}`, baseDir: cwd });
  }
  return found;
}

/** An empty variable counts as not set. */
export function rawFromEnvironment(verb: Verb, env: Environment, cwd: string): RawSettings {
  const found = new Map<SettingKey, RawSetting>();
  for (const [key, row] of settingsOf(verb)) {
    const text = env[envName(row)];
    if (text === undefined || text === '') continue;
    const value = row.kind === 'paths' ? text.split(delimiter).filter((path) => path !== '') : text;
    found.set(key, { value, origin: envName(row), baseDir: cwd });
  }
  return found;
}

/**
 * Variables that look like misspelt settings. Only worth a warning: Kubernetes gives every pod variables such as
 * SKEIN_SERVICE_HOST and SKEIN_PORT once a service is called `skein`.
 */
export function misspeltVariables(env: Environment): string[] {
  const known = Object.values<SettingRow>(settingsTable).map(envName);
  return Object.keys(env)
    .filter((name) => name.startsWith('SKEIN_') && !known.includes(name) && !/^SKEIN_(SERVICE|PORT)(_|$)/.test(name))
    .map((name) => ({
      name,
      meant: closestName(
        name.slice(6),
        known.map((other) => other.slice(6)),
      ),
    }))
    .filter(({ meant }) => meant !== undefined)
    .map(({ name, meant }) => `${name} is not a setting and has no effect; did you mean SKEIN_${meant}?`);
}

/** Entries of `"settings"` in a settings file, by flag name. */
export function rawFromFile(
  verb: Verb,
  entries: Readonly<Record<string, unknown>>,
  path: string,
  baseDir: string,
): RawSettings {
  const rows = settingsOf(verb).filter(([, row]) => row.inFile !== false);
  const found = new Map<SettingKey, RawSetting>();
  for (const [name, value] of Object.entries(entries)) {
    const key = rows.find(([, row]) => row.flag === name)?.[0];
    const origin = `"${name}" in ${path}`;
    if (key === undefined)
      throw unknownSetting(
        origin,
        name,
        rows.map(([, row]) => row.flag),
      );
    found.set(key, { value, origin, baseDir });
  }
  return found;
}

function unknownSetting(origin: string, name: string, known: readonly string[]): SkeinError {
  const closest = closestName(name, known);
  const suggestion = closest === undefined ? '`skein help serve` lists them all' : `did you mean "${closest}"?`;
  return new SkeinError('setting_unknown', { origin, suggestion });
}
