import { exitStatuses } from '../../src/cli/exit-status.ts';
import { flagForm, flagsOf } from '../../src/cli/flag.ts';
import { usageLine } from '../../src/cli/help-text.ts';
import type { VerbRow } from '../../src/cli/verb.ts';
import { type VerbName, verbNames, verbsTable } from '../../src/cli/verbs-table.ts';
import { code, madeLine, plain, sentence, table } from './markdown.ts';

export function commandLinePage(): string {
  return `${madeLine}

# The command line

\`./skein …\` in a clone and \`skein …\` where it is installed are the same command. \`skein help COMMAND\` prints what is below.

${table(
  ['Command', 'Does'],
  verbNames.map((name) => [`[${code(`skein ${name}`)}](#skein-${name})`, plain(verbsTable[name].summary)]),
)}

Results go to stdout, progress, warnings and errors to stderr. It exits with

${table(
  ['Status', 'Meaning'],
  Object.values(exitStatuses).map(({ status, meaning }) => [`${status}`, meaning]),
)}

${verbNames.map(verbSection).join('\n\n')}
`;
}

function verbSection(name: VerbName): string {
  const verb: VerbRow = verbsTable[name];
  const parts = [`## skein ${name}`, `\`\`\`\n${usageLine(name, verb)}\n\`\`\``, sentence(verb.summary)];
  if (verb.details !== '') parts.push(plain(verb.details));
  const operands = verb.operands.map((operand) => [code(operand.name), plain(operand.summary)]);
  const flags = name === 'serve' ? [] : flagsOf(verb).map((flag) => [code(flagForm(flag)), plain(flag.summary)]);
  if (operands.length + flags.length > 0) parts.push(table(['Argument', 'Meaning'], [...operands, ...flags]));
  if (name === 'serve') parts.push('Its flags are the [settings](settings.md).');
  parts.push(verb.examples.map(({ command, shows }) => `* ${code(command)}: ${plain(shows)}`).join('\n'));
  return parts.join('\n\n');
}
