import { type Flag, flagsOf } from '../flag.ts';
import type { OperandRow, VerbRow } from '../verb.ts';
import { verbNames, verbsTable } from '../verbs-table.ts';

/** Specifications for _arguments, one per flag and operand. */
export function zshCompletion(): string {
  return `#compdef skein
# Completion of skein for zsh, made by \`skein completion zsh\`.
_skein() {
  local -a verbs=(
${verbNames.map((name) => `    ${quoted(`${name}:${verbsTable[name].summary.replaceAll(':', '\\:')}`)}`).join('\n')}
  )
  if (( CURRENT == 2 )); then
    _describe command verbs
    return
  fi
  local verb=$words[2]
  shift words
  (( CURRENT-- ))
  case $verb in
${verbNames.map((name) => verbCase(name, verbsTable[name])).join('\n')}
  esac
}
if [[ $funcstack[1] == _skein ]]; then _skein "$@"; else compdef _skein skein; fi
`;
}

function verbCase(name: string, verb: VerbRow): string {
  const specs = [...flagsOf(verb).map(flagSpec), ...verb.operands.map(operandSpec)];
  return `    ${name}) _arguments ${specs.map((spec) => `\\\n      ${quoted(spec)}`).join(' ')} ;;`;
}

function flagSpec({ name, value, choices, summary, many, completesFiles }: Flag): string {
  const option = `${many ? '*' : ''}--${name}[${summary.replace(/[[\]:\\]/g, '\\$&')}]`;
  if (value === undefined) return option;
  if (choices.length > 0) return `${option}:${name}:(${choices.join(' ')})`;
  return `${option}:${value}:${completesFiles ? '_files' : ' '}`;
}

function operandSpec({ name, many, completes }: OperandRow): string {
  const action = completes === 'files' ? '_files' : completes === 'nothing' ? ' ' : `(${completes.join(' ')})`;
  return `${many ? '*' : ''}:${name}:${action}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
