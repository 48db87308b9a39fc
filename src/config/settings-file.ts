import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { SkeinError } from '../protocol/errors.ts';
import { type ExternalBackend, parseExternalBackends } from './external-backend.ts';
import { type RawSettings, rawFromFile } from './raw-setting.ts';
import type { SettingRow } from './setting.ts';
import { settingsTable } from './settings-table.ts';

export interface SettingsFile {
  readonly raw: RawSettings;
  readonly externalBackends: readonly ExternalBackend[];
}

/**
 * `{"settings": {"memory": "4GiB", …}, "backends": [{"name": …, "kind": "v2", "url": …, "models": […]}]}`.
 * Settings have a place of their own because `backends` is the name of one, too.
 */
export function readSettingsFile(path: string): SettingsFile {
  return parseSettingsFile(readText(path), path);
}

function parseSettingsFile(text: string, path: string): SettingsFile {
  const document = parseJson(text, path);
  if (!isObject(document)) throw unusable(path, 'it is not a JSON object {"settings": {…}, "backends": […]}');
  const { settings = {}, backends = [], ...surplus } = document;
  const [name] = Object.keys(surplus);
  if (name !== undefined) {
    const isSetting = Object.values<SettingRow>(settingsTable).some((row) => row.flag === name);
    const suggestion = isSetting ? `put it inside "settings"` : 'a settings file has "settings" and "backends"';
    throw new SkeinError('setting_unknown', { origin: `"${name}" in ${path}`, suggestion });
  }
  if (!isObject(settings)) throw unusable(path, '"settings" is not a JSON object');
  return {
    raw: rawFromFile('serve', settings, path, dirname(path)),
    externalBackends: parseExternalBackends(backends, path),
  };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    throw unusable(path, (fault as Error).message);
  }
}

function parseJson(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (fault) {
    throw unusable(path, (fault as Error).message);
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function unusable(path: string, reason: string): SkeinError {
  return new SkeinError('settings_file', { path, reason });
}
