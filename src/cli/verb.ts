import type { FlagValues } from '../config/raw-setting.ts';
import type { Verb } from '../config/setting.ts';
import type { CommandConsole } from './command-console.ts';

/** One command of `skein`, as help, completion, parsing and the reference see it. */
export interface VerbRow {
  /** One line, without a dot. */
  readonly summary: string;
  /** What there is to know beyond the summary and the options; '' for nothing. */
  readonly details: string;
  /** The verb whose settings are its flags; undefined: it takes none. */
  readonly settings: Verb | undefined;
  readonly operands: readonly OperandRow[];
  /** Flags of this verb alone, beside its settings, by name. */
  readonly options: Readonly<Record<string, OptionRow>>;
  readonly examples: readonly Example[];
  /** Imported only when the verb is called, so that asking for help does not read the server. */
  readonly load: () => Promise<VerbModule>;
}

export interface OperandRow {
  /** As usage lines write it: `MODEL`. */
  readonly name: string;
  readonly summary: string;
  readonly required: boolean;
  readonly many: boolean;
  /** What completion offers: these words, or the names of files. */
  readonly completes: readonly string[] | 'files' | 'nothing';
}

export interface OptionRow {
  /** Name of the value in usage lines; undefined for a switch. */
  readonly value: string | undefined;
  readonly choices?: readonly string[];
  readonly summary: string;
  /** May be given several times. */
  readonly many?: true;
  readonly completesFiles?: true;
}

interface Example {
  readonly command: string;
  readonly shows: string;
}

interface VerbModule {
  run(call: VerbCall, console: CommandConsole): Promise<void>;
}

/** A command line, taken apart. */
export interface VerbCall {
  readonly flags: FlagValues;
  readonly operands: readonly string[];
}
