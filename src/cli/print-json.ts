import type { CommandConsole } from './command-console.ts';
import type { VerbCall } from './verb.ts';

export function wantsJson({ flags }: VerbCall): boolean {
  return flags['json'] === true;
}

/** The bytes of an answer as they came, on a line of their own. */
export function printBody(text: string, { out }: CommandConsole): void {
  if (text !== '') out(text.endsWith('\n') ? text : `${text}\n`);
}
