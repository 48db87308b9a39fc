import type { ExternalBackend } from './external-backend.ts';
import type { SettingValue, Verb } from './setting.ts';
import type { SettingKey, settingsTable } from './settings-table.ts';

type Table = typeof settingsTable;

type KeyOf<V extends Verb> = {
  [Key in SettingKey]: V extends Table[Key]['verbs'][number] ? Key : never;
}[SettingKey];

/** The compiled, frozen settings of one command: every one has a value, in the unit that its name ends in. */
export type SettingsOf<V extends Verb> = { readonly [Key in KeyOf<V>]: SettingValue<Table[Key]> };

/**
 * What `skein serve` runs with. Paths are absolute; `cores` is a count even where 0 was given; '' is none. Where 0 leaves
 * the choice to the program (`threadsPerRun`, `loadConcurrency`) it stays 0.
 */
export interface Settings extends SettingsOf<'serve'> {
  /** Servers of other makers, from the settings file. */
  readonly externalBackends: readonly ExternalBackend[];
}
