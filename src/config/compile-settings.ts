import { type ParsedValue, parseSetting } from './parse-setting.ts';
import type { RawSetting, RawSettings } from './raw-setting.ts';
import type { DerivedDefault, Place, SettingRow, Verb } from './setting.ts';
import type { SettingsOf } from './settings.ts';
import { settingsOf } from './settings-table.ts';

/** Everything that `verb` takes, parsed, checked, defaulted and frozen. */
export function compileSettings<V extends Verb>(verb: V, raw: RawSettings, place: Place, cwd: string): SettingsOf<V> {
  const values = settingsOf(verb).map(([key, row]) => [key, compiledValue(row, raw.get(key), place, cwd)]);
  return Object.freeze(Object.fromEntries(values)) as SettingsOf<V>;
}

function compiledValue(row: SettingRow, raw: RawSetting | undefined, place: Place, cwd: string): ParsedValue {
  const given = raw === undefined ? undefined : parseSetting(row, raw);
  // A count of 0 that has a derived default asks for it: `--cores 0`.
  const value = given === undefined || (given === 0 && isDerived(row.default)) ? defaultOf(row, place, cwd) : given;
  return Array.isArray(value) ? Object.freeze(value) : value;
}

function defaultOf(row: SettingRow, place: Place, cwd: string): ParsedValue {
  const value = isDerived(row.default) ? row.default.of(place) : row.default;
  const isPath = row.kind === 'path' && value !== '';
  return isPath ? parseSetting(row, { value, origin: 'the default', baseDir: cwd }) : value;
}

export function isDerived(value: SettingRow['default']): value is DerivedDefault<number> | DerivedDefault<string> {
  return typeof value === 'object' && 'of' in value;
}
