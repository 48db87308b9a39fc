/**
 * Every setting of Skein, one row each: name, kind, default, range, flag, environment variable, who takes it, and why one
 * would change it. Parsing, the `Settings` type, help texts, shell completion and docs/reference/settings.md come from it.
 *
 * Properties are named as the code uses them, unit last; flags and file entries leave the unit to the value (`30s`).
 */
import type { SettingRow, Verb } from './setting.ts';
import { capacitySettings } from './settings/capacity.ts';
import { engineSettings } from './settings/engine.ts';
import { fleetSettings } from './settings/fleet.ts';
import { limitSettings } from './settings/limits.ts';
import { observingSettings } from './settings/observing.ts';
import { operatorSettings } from './settings/operator.ts';
import { routingSettings } from './settings/routing.ts';
import { servingSettings } from './settings/serving.ts';
import { sourceSettings } from './settings/sources.ts';
import { tensorflowSettings } from './settings/tensorflow.ts';

export const settingsTable = {
  ...servingSettings,
  ...fleetSettings,
  ...capacitySettings,
  ...sourceSettings,
  ...limitSettings,
  ...routingSettings,
  ...engineSettings,
  ...tensorflowSettings,
  ...observingSettings,
  ...operatorSettings,
} as const satisfies Record<string, SettingRow>;

export type SettingKey = keyof typeof settingsTable;

export interface SettingGroup {
  readonly title: string;
  readonly rows: Readonly<Record<string, SettingRow>>;
}

/** The same rows in the order in which people read them. */
export const settingGroups: readonly SettingGroup[] = [
  { title: 'What is served, and where', rows: servingSettings },
  { title: 'Members of a fleet', rows: fleetSettings },
  { title: 'How much of the machine is used', rows: capacitySettings },
  { title: 'Models that are fetched', rows: sourceSettings },
  { title: 'What a client may take', rows: limitSettings },
  { title: 'Waiting for loads, trying again', rows: routingSettings },
  { title: 'ONNX Runtime', rows: engineSettings },
  { title: 'TensorFlow', rows: tensorflowSettings },
  { title: 'Logs, metrics, traces', rows: observingSettings },
  { title: 'Asking a running server', rows: operatorSettings },
];

/** Rows that `verb` takes. */
export function settingsOf(verb: Verb): [SettingKey, SettingRow][] {
  return (Object.entries(settingsTable) as [SettingKey, SettingRow][]).filter(([, row]) => row.verbs.includes(verb));
}
