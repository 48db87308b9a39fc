import type { MachineLimits } from './machine-limits.ts';

/** Commands that take settings; a setting belongs to some of them. */
export type Verb =
  | 'serve'
  | 'router'
  | 'backend'
  | 'ps'
  | 'models'
  | 'load'
  | 'unload'
  | 'explain'
  | 'plan'
  | 'bench'
  | 'drain'
  | 'register'
  | 'remove'
  | 'alias'
  | 'label'
  | 'registry'
  | 'engines';

interface SettingFacts {
  /** Name on the command line, and in the settings file: `hold-max`. */
  readonly flag: string;
  /** Only where it is not SKEIN_ and the flag in capitals. */
  readonly env?: string;
  /** False for what would make no sense there. */
  readonly inFile?: false;
  readonly verbs: readonly Verb[];
  /** What it is, in one line. */
  readonly summary: string;
  /** Why one would turn it up or down, and what that costs. */
  readonly why: string;
  /** Set where a running process takes a new value. None does yet: a change needs a restart. */
  readonly reloadable?: true;
}

/** A default that depends on where the process runs. */
export interface DerivedDefault<T> {
  /** For the reference: `half of the memory that this process may use`. */
  readonly text: string;
  readonly of: (place: Place) => T;
}

/** What defaults may depend on. */
export interface Place {
  readonly machine: MachineLimits;
  readonly env: Environment;
}

export type Environment = Readonly<Record<string, string | undefined>>;

interface NumberRange {
  readonly min: number;
  readonly max: number;
  /** What 0 means where it is not a quantity: `as many as there are cores`. */
  readonly zero?: string;
}

interface PortRow extends SettingFacts {
  readonly kind: 'port';
  readonly default: number;
}

interface CountRow extends SettingFacts, NumberRange {
  readonly kind: 'count';
  readonly default: number | DerivedDefault<number>;
}

/** Its property ends in `Bytes`. */
interface BytesRow extends SettingFacts, NumberRange {
  readonly kind: 'bytes';
  readonly default: number | DerivedDefault<number>;
}

/** Its property ends in `Ms`. */
interface DurationRow extends SettingFacts, NumberRange {
  readonly kind: 'duration';
  readonly default: number;
}

interface ChoiceRow extends SettingFacts {
  readonly kind: 'choice';
  readonly choices: readonly string[];
  readonly default: string;
}

interface SwitchRow extends SettingFacts {
  readonly kind: 'switch';
  readonly default: boolean;
}

/** '' stands for none. */
interface TextRow extends SettingFacts {
  readonly kind: 'text' | 'url' | 'path';
  readonly default: string | DerivedDefault<string>;
  /** What is expected, for errors and the reference: `a directory`. */
  readonly form: string;
}

/** May be given several times. */
interface PathsRow extends SettingFacts {
  readonly kind: 'paths';
  readonly default: readonly string[];
  readonly form: string;
}

export type SettingRow = PortRow | CountRow | BytesRow | DurationRow | ChoiceRow | SwitchRow | TextRow | PathsRow;

/** The compiled value of a row: no undefined, no units in text. */
export type SettingValue<Row extends SettingRow> = Row extends {
  readonly kind: 'choice';
  readonly choices: infer Choices;
}
  ? Choices extends readonly (infer Choice)[]
    ? Choice
    : never
  : Row extends { readonly kind: 'switch' }
    ? boolean
    : Row extends { readonly kind: 'text' | 'url' | 'path' }
      ? string
      : Row extends { readonly kind: 'paths' }
        ? readonly string[]
        : number;

export function envName(row: SettingRow): string {
  return row.env ?? `SKEIN_${row.flag.toUpperCase().replaceAll('-', '_')}`;
}
