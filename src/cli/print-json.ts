import type { CommandConsole } from './command-console.ts';
import type { VerbCall } from './verb.ts';

export function wantsJson({ flags }: VerbCall): boolean {
  return flags['json'] === true;
}

/** The bytes of an answer as they came, on a line of their own; `{}` for one of none: whoever reads it reads JSON. */
export function printBody(text: string, { out }: CommandConsole): void {
  out(text === '' ? '{}\n' : text.endsWith('\n') ? text : `${text}\n`);
}
