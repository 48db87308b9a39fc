import { type Flag, flagsOf } from '../flag.ts';
import type { VerbRow } from '../verb.ts';
import { verbNames, verbsTable } from '../verbs-table.ts';

/** Words are offered by place: the command first, then what the flag before takes, then flags and operands. */
export function bashCompletion(): string {
  return `# Completion of skein for bash, made by \`skein completion bash\`.
_skein() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb=\${COMP_WORDS[1]}
  local words='' files=''
  if ((COMP_CWORD == 1)); then
    words='${verbNames.join(' ')}'
  else
    case "$verb $previous" in
${verbNames.flatMap((name) => valueCases(name, verbsTable[name])).join('\n')}
      *) case "$verb" in
${verbNames.map((name) => wordCase(name, verbsTable[name])).join('\n')}
        esac ;;
    esac
  fi
  COMPREPLY=()
  [[ -z $words ]] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
  if [[ -n $files && $current != -* ]]; then
    compopt -o filenames 2>/dev/null
    mapfile -t -O "\${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$current")
  fi
}
complete -F _skein skein
`;
}

/** After a flag that takes a value: its choices, files, or nothing. */
function valueCases(name: string, verb: VerbRow): string[] {
  const taking = flagsOf(verb).filter((flag) => flag.value !== undefined);
  const special = taking
    .filter((flag) => flag.choices.length > 0)
    .map((flag) => [flag.name, `words='${flag.choices.join(' ')}'`]);
  const cases = special.map(([flag, action]) => `      '${name} --${flag}') ${action} ;;`);
  return [
    ...cases,
    ...joined(name, taking.filter(isPlain), ':'),
    ...joined(name, taking.filter(takesFiles), 'files=1'),
  ];
}

const takesFiles = (flag: Flag) => flag.completesFiles;
const isPlain = (flag: Flag) => flag.choices.length === 0 && !flag.completesFiles;

function joined(name: string, flags: readonly Flag[], action: string): string[] {
  return flags.length === 0 ? [] : [`      ${flags.map((flag) => `'${name} --${flag.name}'`).join('|')}) ${action} ;;`];
}

function wordCase(name: string, verb: VerbRow): string {
  const offered = verb.operands.flatMap(({ completes }) => (typeof completes === 'string' ? [] : completes));
  const words = [...flagsOf(verb).map((flag) => `--${flag.name}`), ...offered].join(' ');
  const files = verb.operands.some(({ completes }) => completes === 'files') ? ' files=1' : '';
  return `        ${name}) words='${words}'${files} ;;`;
}
