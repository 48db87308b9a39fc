import type { CommandConsole } from '../command-console.ts';
import { helpFor, overview } from '../help-text.ts';
import type { VerbCall } from '../verb.ts';

export async function run({ operands: [name] }: VerbCall, { out }: CommandConsole): Promise<void> {
  out(name === undefined ? overview() : helpFor(name));
}
