import { parseArgs } from 'node:util';
import { closestName } from '../config/closest-name.ts';
import { SkeinError } from '../protocol/errors.ts';
import { type Flag, flagsOf } from './flag.ts';
import type { VerbCall, VerbRow } from './verb.ts';
import { findVerb, verbNames } from './verbs-table.ts';

type Invocation =
  | { readonly kind: 'call'; readonly name: string; readonly verb: VerbRow; readonly call: VerbCall }
  /** Undefined: of the command as a whole. */
  | { readonly kind: 'help'; readonly name: string | undefined }
  | { readonly kind: 'nothing' };

/** What a command line asks for. Throws `usage`, which names the word that is wrong and what was probably meant. */
export function parseInvocation(argv: readonly string[]): Invocation {
  const [name, ...rest] = argv;
  if (name === undefined) return { kind: 'nothing' };
  if (name === '--help' || name === '-h') return { kind: 'help', name: undefined };
  if (name === '--version' || name === '-v') return parseInvocation(['version', ...rest]);
  const verb = findVerb(name);
  if (verb === undefined) throw unknownVerb(name);
  const { flags, operands } = parseVerb(name, verb, rest);
  if (flags['help'] === true) return { kind: 'help', name };
  checkOperands(name, verb, operands);
  return { kind: 'call', name, verb, call: { flags, operands } };
}

export function unknownVerb(name: string): SkeinError {
  const isFlag = name.startsWith('-');
  const closest = isFlag ? undefined : closestName(name, verbNames);
  const what = isFlag ? `'${name}' comes before a command` : `'${name}' is not a command`;
  return usage(`${what}; ${closest === undefined ? '`skein --help` lists them' : `did you mean '${closest}'?`}`);
}

function parseVerb(name: string, verb: VerbRow, argv: readonly string[]): VerbCall {
  const flags = new Map(flagsOf(verb).map((flag) => [flag.name, flag]));
  const options = Object.fromEntries(
    [...flags.values()].map((flag) => [
      flag.name,
      flag.name === 'help'
        ? ({ type: 'boolean', short: 'h' } as const)
        : ({ type: flag.value === undefined ? 'boolean' : 'string', multiple: flag.many } as const),
    ]),
  );
  // Not strict: the checks are ours, because its messages name neither what was meant nor what is expected.
  const parsed = parseArgs({
    args: [...argv],
    options,
    strict: false,
    allowNegative: true,
    allowPositionals: true,
    tokens: true,
  });
  for (const token of parsed.tokens) {
    if (token.kind !== 'option') continue;
    checkFlag(name, flags.get(token.name) ?? unnegated(flags, token.rawName), flags, token);
  }
  return { flags: parsed.values as VerbCall['flags'], operands: parsed.positionals };
}

interface OptionToken {
  readonly name: string;
  readonly rawName: string;
  readonly value?: string | undefined;
  readonly inlineValue?: boolean | undefined;
}

function checkFlag(verb: string, flag: Flag | undefined, flags: ReadonlyMap<string, Flag>, token: OptionToken): void {
  const isNegative = token.rawName.startsWith('--no-');
  if (flag === undefined || (isNegative && !flag.canNegate)) throw unknownFlag(verb, token.rawName, flags);
  if (flag.value === undefined) {
    // A setting may be given as --allow-remote-load=false; a switch of a verb takes no value.
    if (token.value === undefined || (flag.canNegate && !isNegative)) return;
    throw usage(`${token.rawName} takes no value, got '${token.value}'`);
  }
  const swallowed = token.inlineValue === false && /^-./.test(token.value ?? '');
  if (token.value === undefined || swallowed)
    throw usage(`${token.rawName} needs a value: ${token.rawName} ${flag.value}`);
}

function unnegated(flags: ReadonlyMap<string, Flag>, rawName: string): Flag | undefined {
  return rawName.startsWith('--no-') ? flags.get(rawName.slice('--no-'.length)) : undefined;
}

function unknownFlag(verb: string, rawName: string, flags: ReadonlyMap<string, Flag>): SkeinError {
  const closest = closestName(rawName.replace(/^--?(no-)?/, ''), flags.keys());
  const hint = closest === undefined ? `\`skein help ${verb}\` lists what it takes` : `did you mean --${closest}?`;
  return usage(`${rawName} is not a flag of \`skein ${verb}\`; ${hint}`);
}

function checkOperands(name: string, verb: VerbRow, operands: readonly string[]): void {
  const missing = verb.operands.find((operand, index) => operand.required && operands[index] === undefined);
  if (missing !== undefined) throw usage(`\`skein ${name}\` needs ${missing.name}: ${missing.summary}`);
  const surplus = verb.operands.at(-1)?.many === true ? undefined : operands[verb.operands.length];
  if (surplus !== undefined)
    throw usage(`\`skein ${name}\` takes no '${surplus}'; \`skein help ${name}\` says what it takes`);
}

function usage(reason: string): SkeinError {
  return new SkeinError('usage', { reason });
}
