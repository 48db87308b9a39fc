import type { SettingRow } from '../config/setting.ts';
import { settingsOf } from '../config/settings-table.ts';
import type { VerbRow } from './verb.ts';

/** A flag of a verb, whether it is a setting or the verb's own. */
export interface Flag {
  readonly name: string;
  /** Stands for the value in usage lines; undefined for a switch. */
  readonly value: string | undefined;
  readonly choices: readonly string[];
  readonly summary: string;
  readonly many: boolean;
  /** The switch can be turned off with --no-…: a setting that may be on elsewhere. */
  readonly canNegate: boolean;
  readonly completesFiles: boolean;
}

const help: Flag = {
  name: 'help',
  value: undefined,
  choices: [],
  summary: 'explain this command',
  many: false,
  canNegate: false,
  completesFiles: false,
};

/** Every flag of `verb`: its own, its settings, and --help. */
export function flagsOf(verb: VerbRow): Flag[] {
  const own = Object.entries(verb.options).map(
    ([name, { value, choices = [], summary, many = false, completesFiles = false }]) => {
      return { name, value, choices, summary, many, canNegate: false, completesFiles };
    },
  );
  const settings = verb.settings === undefined ? [] : settingsOf(verb.settings).map(([, row]) => settingFlag(row));
  return [...own, ...settings, help];
}

export function settingFlag(row: SettingRow): Flag {
  return {
    name: row.flag,
    value: row.kind === 'switch' ? undefined : valueName(row),
    choices: row.kind === 'choice' ? row.choices : [],
    summary: row.summary,
    many: row.kind === 'paths',
    canNegate: row.kind === 'switch',
    completesFiles: row.kind === 'path' || row.kind === 'paths',
  };
}

/** `--memory SIZE`. */
export function flagForm(flag: Flag): string {
  return flag.value === undefined ? `--${flag.name}` : `--${flag.name} ${flag.value}`;
}

const valueNames = {
  port: 'PORT',
  count: 'N',
  bytes: 'SIZE',
  duration: 'TIME',
  switch: '',
  text: 'TEXT',
  url: 'URL',
  path: 'PATH',
  paths: 'PATH',
} as const;

function valueName(row: SettingRow): string {
  return row.kind === 'choice' ? row.choices.join('|') : valueNames[row.kind];
}
