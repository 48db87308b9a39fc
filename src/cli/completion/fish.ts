import { type Flag, flagsOf } from '../flag.ts';
import type { OperandRow } from '../verb.ts';
import { verbNames, verbsTable } from '../verbs-table.ts';

/** One `complete` per command, flag and operand. */
export function fishCompletion(): string {
  const lines = verbNames.flatMap((name) => {
    const verb = verbsTable[name];
    const seen = `complete -c skein -n ${quoted(`__fish_seen_subcommand_from ${name}`)}`;
    return [
      `complete -c skein -n __fish_use_subcommand -a ${name} -d ${quoted(verb.summary)}`,
      ...flagsOf(verb).map((flag) => `${seen} ${flagPart(flag)}`),
      ...verb.operands.flatMap(operandPart).map((part) => `${seen} ${part}`),
    ];
  });
  return `# Completion of skein for fish, made by \`skein completion fish\`.\ncomplete -c skein -f\n${lines.join('\n')}\n`;
}

function flagPart({ name, value, choices, summary, completesFiles }: Flag): string {
  const described = `-l ${name} -d ${quoted(summary)}`;
  if (value === undefined) return described;
  if (choices.length > 0) return `${described} -x -a ${quoted(choices.join(' '))}`;
  return completesFiles ? `${described} -r -F` : `${described} -x`;
}

function operandPart({ completes }: OperandRow): string[] {
  if (completes === 'nothing') return [];
  return [completes === 'files' ? '-F' : `-a ${quoted(completes.join(' '))}`];
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
