import { writeByteSize } from '../config/byte-size.ts';
import { isDerived } from '../config/compile-settings.ts';
import { writeDuration } from '../config/duration.ts';
import { envName, type SettingRow } from '../config/setting.ts';
import { settingGroups } from '../config/settings-table.ts';
import { unknownVerb } from './arguments.ts';
import { type Flag, flagForm, flagsOf, settingFlag } from './flag.ts';
import type { VerbRow } from './verb.ts';
import { findVerb, verbNames, verbsTable } from './verbs-table.ts';

const columns = 100;
const indent = 28;

/** `skein --help`. */
export function overview(): string {
  const width = Math.max(...verbNames.map((name) => name.length));
  const verbs = verbNames.map((name) => `  ${name.padEnd(width)}  ${verbsTable[name].summary}`);
  return [
    'Skein: one fast endpoint in front of more models than fit into memory.\n',
    'usage: skein COMMAND [flags]\n',
    ...verbs,
    '\n`skein help COMMAND` explains one. To begin: skein serve --models DIR\n',
  ].join('\n');
}

/** `skein help VERB`; throws `usage` for one that does not exist. */
export function helpFor(name: string): string {
  const verb = findVerb(name);
  if (verb === undefined) throw unknownVerb(name);
  const parts = [`${capital(verb.summary)}.\n`, `usage: ${usageLine(name, verb)}\n`];
  if (verb.details !== '') parts.push(`${wrap(verb.details, 0)}\n`);
  for (const operand of verb.operands) parts.push(entry(`  ${operand.name}`, [operand.summary]));
  if (verb.operands.length > 0) parts.push('');
  parts.push(...flagSections(verb));
  parts.push('Examples:', ...verb.examples.map(({ command, shows }) => `  ${command}\n      ${shows}`));
  return `${parts.join('\n')}\n`;
}

/** `skein load MODEL [--json] [--url URL]`, `skein serve [MODELS …] [flags]`. */
export function usageLine(name: string, verb: VerbRow): string {
  const operands = verb.operands.map(({ name: operand, required, many }) => {
    const text = many ? `${operand} …` : operand;
    return required ? text : `[${text}]`;
  });
  const flags = flagsOf(verb).filter((flag) => flag.name !== 'help');
  const shown = flags.length > 4 ? ['[flags]'] : flags.map((flag) => `[${flagForm(flag)}]`);
  return ['skein', name, ...operands, ...shown].join(' ');
}

function flagSections(verb: VerbRow): string[] {
  const settings = verb.settings;
  const isSetting = (flag: Flag) =>
    settings !== undefined &&
    settingGroups.some(({ rows }) => Object.values(rows).some((row) => row.flag === flag.name));
  const own = flagsOf(verb).filter((flag) => !isSetting(flag));
  const sections = [`Flags:\n${own.map((flag) => entry(`  ${flagForm(flag)}`, [flag.summary])).join('\n')}\n`];
  for (const { title, rows } of settingGroups) {
    const taken = Object.values(rows).filter((row) => settings !== undefined && row.verbs.includes(settings));
    if (taken.length > 0) sections.push(`${title}:\n${taken.map(settingEntry).join('\n')}\n`);
  }
  return sections;
}

function settingEntry(row: SettingRow): string {
  const zero = 'zero' in row && row.zero !== undefined ? `${row.default === 0 ? '' : '; 0'}: ${row.zero}` : '';
  return entry(`  ${flagForm(settingFlag(row))}`, [
    row.summary,
    `default ${writeDefault(row)}${zero} (${envName(row)})`,
  ]);
}

/** A default as one would write it on the command line. */
export function writeDefault(row: SettingRow): string {
  const value = row.default;
  if (isDerived(value)) return value.text;
  if (value === '' || (Array.isArray(value) && value.length === 0)) return 'none';
  if (row.kind === 'bytes') return writeByteSize(Number(value));
  return row.kind === 'duration' ? writeDuration(Number(value)) : String(value);
}

function entry(left: string, lines: readonly string[]): string {
  const right = lines.map((line) => wrap(line, indent)).join(`\n${' '.repeat(indent)}`);
  return left.length + 2 > indent ? `${left}\n${' '.repeat(indent)}${right}` : `${left.padEnd(indent)}${right}`;
}

function wrap(text: string, margin: number): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && margin + line.length + 1 + word.length > columns) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].join(`\n${' '.repeat(margin)}`);
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
